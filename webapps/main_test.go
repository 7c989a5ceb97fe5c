package webapps_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

func TestMain(m *testing.M) {
	os.Exit(testserver.Main(m, map[string]func() error{"server": serve}))
}

// serve is a server of the folder that APPS names, with a process beside each
// application, until it is killed.
func serve() error {
	d, err := webapps.Open(webapps.Config{Dir: os.Getenv("APPS"), Load: func(webapps.ContextName, string) (webapps.App, error) {
		return webapps.App{Processes: []webapps.Process{{Name: "worker", Command: os.Getenv("COMMAND")}}}, nil
	}})
	if err != nil {
		return err
	}
	<-d.Deployed()
	fmt.Println(os.Getpid())
	select {}
}
