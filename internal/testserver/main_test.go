package testserver

import (
	"fmt"
	"io"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	os.Exit(Main(m, map[string]func() error{"greeter": greet}))
}

// greet prints what it was told to and waits for the end of its input.
func greet() error {
	fmt.Println(os.Getenv("GREETING"))
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
