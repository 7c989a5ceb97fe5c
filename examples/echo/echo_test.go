package echo_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// TestYes asks over each kind of socket, while another client says nothing.
func TestYes(t *testing.T) {
	server, client := testserver.Build(t, "./server"), testserver.Build(t, "./client")
	for _, test := range []struct{ name, network, listen, to string }{
		{"IPv4", "tcp", "127.0.0.1:0", ""},
		{"IPv6", "tcp", "[::1]:0", ""},
		{"Unix", "unix", "unix:" + filepath.Join(t.TempDir(), "s"), "unix:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := testserver.StartProgram(t, ".", server, "-listen", test.listen)
			address := p.Await(`listening on (.+)\n`)
			silent, err := net.Dial(test.network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()

			out, err := exec.Command(client, "-to", test.to+address, "Are", "you", "there").CombinedOutput()
			if err != nil || string(out) != "Yes\n" {
				t.Errorf("the client printed %q, %v", out, err)
			}
			c := testserver.NewClient(t, silent)
			for range 2 {
				c.Send("\x00\xff")
				c.Expect("Yes\n")
			}

			p.Interrupt()
			if status := p.Wait(); status != 0 {
				t.Errorf("after Ctrl-C the exit status is %d", status)
			}
			c.Closed()
			if out, err := exec.Command(client, "-to", test.to+address, "still").CombinedOutput(); err == nil {
				t.Errorf("after the server's end the client printed %q", out)
			}
		})
	}
}

// TestPortInUse is told in one line that names the address.
func TestPortInUse(t *testing.T) {
	server := testserver.Build(t, "./server")
	address := testserver.StartProgram(t, ".", server, "-listen", "127.0.0.1:0").Await(`listening on (.+)\n`)
	second := testserver.StartProgram(t, ".", server, "-listen", address)
	if status := second.Wait(); status != 1 {
		t.Errorf("the exit status is %d, want 1", status)
	}
	got := second.Log.String()
	if !strings.Contains(got, address) || !strings.Contains(got, "address already in use") || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q, want one line that names the address and the cause", got)
	}
}
