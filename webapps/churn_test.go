package webapps_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// churn is how much is done: little in passing, fifty applications for a minute
// with GATEHOUSE_SOAK.
func churn() (apps, steps int, lasts time.Duration) {
	if os.Getenv("GATEHOUSE_SOAK") != "" {
		return 50, 1 << 30, time.Minute
	}
	return 6, 40, time.Hour
}

// TestChurn deploys, changes, breaks, mends and removes applications in random
// order while clients ask for others: every request to a healthy one is answered,
// by good code, and nothing is left in the end.
func TestChurn(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "steady"), hello("steady"))
	write(t, filepath.Join(dir, "moving"), hello("moving 0"))
	write(t, filepath.Join(dir, "page"), page("a page"))
	h := open(t, dir)
	server := testserver.Start(t, testserver.H1, h.ServeHTTP)
	client := server.Client()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var clients sync.WaitGroup
	var answered atomic.Int64
	for n, word := range map[int]string{0: "steady", 1: "moving", 2: "a page", 3: "steady", 4: "moving"} {
		clients.Go(func() {
			path := "/" + strings.ReplaceAll(word, "a page", "page") + "/"
			for ctx.Err() == nil {
				resp, err := client.Get(server.URL() + path)
				if err != nil {
					t.Errorf("client %d: %s: %v", n, path, err)
					return
				}
				body := text(t, resp)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK || !strings.Contains(body, word) {
					t.Errorf("client %d: %s: %s %q", n, path, resp.Status, body)
					return
				}
				answered.Add(1)
			}
		})
	}

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	apps, steps, lasts := churn()
	c := &churner{house: h, random: random}
	for begun, step := time.Now(), 0; step < steps && time.Since(begun) < lasts && !t.Failed(); step++ {
		c.step(fmt.Sprintf("app%d", random.IntN(apps)), step)
		if step%5 == 0 {
			write(t, filepath.Join(dir, "moving"), hello(fmt.Sprintf("moving %d", step)))
		}
	}
	stop()
	clients.Wait()
	t.Logf("%d requests answered", answered.Load())
	if answered.Load() == 0 {
		t.Error("nobody asked for anything")
	}
	entries, err := filepath.Glob(filepath.Join(dir, "app*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range entries {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	testserver.Eventually(t, "all that was changed is gone", func() bool { return len(h.Apps()) == 3 })
	h.close()
	noLitter(t, dir)
}

// churner changes applications at random.
type churner struct {
	*house
	random *rand.Rand
}

// step does one thing to the application of that name.
func (c *churner) step(base string, n int) {
	c.t.Helper()
	ctx := c.t.Context()
	folder, name := filepath.Join(c.dir, base), named(c.t, base)
	broken := tree{"app.py": "def app(environ, start_response): pass\n1/0\n"}
	var err error
	switch c.random.IntN(9) {
	case 0: // appears, or is exchanged
		fresh := filepath.Join(c.dir, ".fresh")
		write(c.t, fresh, hello(fmt.Sprint("folder ", n)))
		_ = os.RemoveAll(folder)
		_ = os.Remove(folder + ".zip")
		if err = os.Rename(fresh, folder); err == nil {
			c.becomes("/"+base+"/", 200, fmt.Sprint("folder ", n))
		}
	case 1: // broken, in a folder that may be new
		write(c.t, folder, broken)
	case 2: // half of an archive
		put(c.t, folder+".zip", testserver.Zip(c.t, hello("half"))[:200])
	case 3: // gone, perhaps while it is being deployed
		_ = os.RemoveAll(folder)
		_ = os.Remove(folder + ".zip")
	case 4:
		err = c.Deploy(ctx, name, ".zip", bytes.NewReader(testserver.Zip(c.t, hello(fmt.Sprint("archive ", n)))), webapps.DeployOptions{Discard: true})
	case 5:
		err = c.Deploy(ctx, name, ".zip", bytes.NewReader(testserver.Zip(c.t, broken)), webapps.DeployOptions{})
	case 6:
		err = c.Rollback(ctx, name)
	case 7:
		err = errors.Join(c.Stop(ctx, name), c.Start(ctx, name))
	case 8:
		err = c.Undeploy(ctx, name)
	}
	if err != nil && !expected(err) {
		c.t.Errorf("step %d, %s: %v", n, base, err)
	}
}

// expected reports whether an error is one of those that changes at random bring
// about.
func expected(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !expected(e) {
				return false
			}
		}
		return true
	}
	for _, known := range []error{webapps.ErrNoApp, webapps.ErrNoPrevious, archive.ErrDamaged, fs.ErrNotExist} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, ok := errors.AsType[*webapps.Failure](err)
	return ok
}

// noLitter fails if something is left in the folders of what has been done, or
// anything of applications that are gone.
func noLitter(t *testing.T, dir string) {
	t.Helper()
	store := filepath.Join(dir, ".gatehouse")
	err := filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(store, path)
		top, rest, _ := strings.Cut(rel, "/")
		if err == nil && (top == "incoming" || top == "apps") && rest != "" {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
