"""The golden frames, which the Go tests read too."""

import json
import marshal
import os
import random
import struct
import unittest

from worker import frames

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "testdata", "frames")


def golden(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return json.load(f)


class FromWorker(unittest.TestCase):
    def test_golden(self):
        for entry in golden("from_worker.json"):
            with self.subTest(entry["name"]):
                packet = bytes.fromhex(entry["packet"])
                values = [
                    (f["type"], f["flags"], f["status"], f["number"], f["head"].encode("latin-1"), f["body"].encode("latin-1"))
                    for f in entry["frames"]
                ]
                self.assertEqual(list(frames.parse(packet)), values)
                self.assertEqual(b"".join(frames.frame(*v) for v in values), packet)

    def test_length_beyond_the_packet(self):
        with self.assertRaises(ValueError):
            list(frames.parse(frames.frame(frames.END, 0, 0, 1, b"", b"body")[:-1]))


    def test_damaged_packets(self):
        chance = random.Random(3333)
        packets = [bytes.fromhex(entry["packet"]) for entry in golden("from_worker.json")]
        for _ in range(5000):
            packet = bytearray(chance.choice(packets)[: chance.randrange(200)])
            for _ in range(chance.randrange(4)):
                if packet:
                    packet[chance.randrange(len(packet))] = chance.randrange(256)
            found = []
            try:
                for parsed in frames.parse(bytes(packet)):
                    found.append(parsed)
            except (ValueError, struct.error):
                pass  # said, and not guessed
            again = b"".join(frames.frame(*parsed) for parsed in found)
            self.assertTrue(packet.startswith(again))


class ToWorker(unittest.TestCase):
    def meaning(self, entry):
        body = None if entry["body"] is None else entry["body"].encode("latin-1")
        return entry["number"], entry["environ"], body

    def test_golden(self):
        for entry in golden("to_worker.json"):
            with self.subTest(entry["name"]):
                packet = bytes.fromhex(entry["packet"])
                want = [self.meaning(entry), entry["epoch"]]
                self.assertEqual(marshal.loads(packet), want)
                # A worker reads into a buffer that is longer than the packet.
                self.assertEqual(marshal.loads(packet + b"\xff" * 10), want)

    def test_batch(self):
        batch = golden("batch.json")
        entries = {entry["name"]: entry for entry in golden("to_worker.json")}
        packet = marshal.loads(bytes.fromhex(batch["packet"]))
        self.assertEqual(packet.pop(), batch["epoch"])
        for name in batch["requests"]:
            self.assertEqual(packet.pop(), self.meaning(entries[name]))
        self.assertEqual(packet, [])


if __name__ == "__main__":
    unittest.main()
