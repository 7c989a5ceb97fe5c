import unittest

from app import MAX_LENGTH, MAX_NOTES, create_app


class Pinboard(unittest.TestCase):
    def setUp(self):
        self.client = create_app().test_client()

    def test_pin(self):
        answer = self.client.post("/", data={"text": " <b>milk</b> "})
        self.assertEqual((answer.status_code, answer.location), (303, "/"))
        self.assertIn("&lt;b&gt;milk", self.client.get("/").text)
        self.assertEqual(self.client.get("/notes.json").json, {"notes": ["<b>milk</b>"]})

    def test_refused(self):
        for text, status in [("", 400), ("  ", 400), ("x" * MAX_LENGTH, 303), ("x" * (MAX_LENGTH + 1), 400)]:
            with self.subTest(length=len(text)):
                self.assertEqual(self.client.post("/", data={"text": text}).status_code, status)

    def test_old_notes_go(self):
        for n in range(MAX_NOTES + 1):
            self.client.post("/", data={"text": str(n)})
        notes = self.client.get("/notes.json").json["notes"]
        self.assertEqual((len(notes), notes[0]), (MAX_NOTES, "1"))


if __name__ == "__main__":
    unittest.main()
