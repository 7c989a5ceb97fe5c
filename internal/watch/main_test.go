package watch_test

import (
	"os"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestMain fails if a watcher leaves a goroutine or a descriptor behind.
func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }
