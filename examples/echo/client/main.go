// Command client sends its arguments to a server and prints the answer.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"strings"
)

func main() {
	log.SetFlags(0)
	to := flag.String("to", "127.0.0.1:8000", "the server: host:port or unix:/path")
	flag.Parse()

	network, address := "tcp", *to
	if path, isUnix := strings.CutPrefix(*to, "unix:"); isUnix {
		network, address = "unix", path
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, strings.Join(flag.Args(), " ")); err != nil {
		log.Fatal(err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(answer)
}
