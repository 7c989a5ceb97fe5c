package manager_test

import (
	"os"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }
