package cgi_test

import (
	"fmt"
	"iter"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// nobodyElse is an identity that nothing else on the machine runs as, so that its
// processes can be counted. Only root can become it.
var nobodyElse = &cgi.User{UID: 61234, GID: 61234}

func TestLimits(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"ulimit": text + "ulimit -t; ulimit -v; ulimit -f; ulimit -n\n"})
		limits := cgi.Limits{CPU: 1500 * time.Millisecond, Memory: 64 << 20, FileSize: 1 << 20, Files: 20}
		site := w.open(t, dir, cgi.Config{Limits: limits})
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			// ulimit counts memory in KB and files in blocks of 512 bytes.
			if res := site.serve(t, m).Get("/cgi-bin/ulimit"); res.Text() != "2\n65536\n2048\n20\n" {
				t.Errorf("%q", res.Text())
			}
		}, modes...)
	})
}

// What bounds all that an application runs bounds its scripts as well, and of two
// limits the lower one counts.
func TestLimitsOfTheApplication(t *testing.T) {
	for _, tt := range []struct {
		name      string
		own, most int
		want      string
	}{{"the application's", 0, 40, "40\n"}, {"the script's", 20, 40, "20\n"}, {"the script's above it", 60, 40, "40\n"}} {
		t.Run(tt.name, func(t *testing.T) {
			cell, err := confine.Confinement{Limits: confine.Limits{Files: tt.most}}.Open("app", false, slog.New(slog.DiscardHandler))
			must(t, err)
			inEachWay(t, func(t *testing.T, w way) {
				dir := w.folder(t, files{"ulimit": text + "ulimit -n\n"})
				s := w.open(t, dir, cgi.Config{Cell: cell, Limits: cgi.Limits{Files: tt.own}}).serve(t, testserver.H1)
				if res := s.Get("/cgi-bin/ulimit"); res.Text() != tt.want {
					t.Errorf("%d %q, want %q", res.Status, res.Text(), tt.want)
				}
			})
		})
	}
}

// No limit is above the server's own; one that is asks for nothing.
func TestLimitAboveTheServers(t *testing.T) {
	var own syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own))
	want := strconv.FormatUint(min(own.Max, math.MaxInt32), 10) + "\n"
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"ulimit": text + "ulimit -n\n"})
		s := w.open(t, dir, cgi.Config{Limits: cgi.Limits{Files: math.MaxInt32}}).serve(t, testserver.H1)
		if res := s.Get("/cgi-bin/ulimit"); res.Text() != want {
			t.Errorf("%d %q, want %q", res.Status, res.Text(), want)
		}
	})
}

// A limited script can be ended, fail to start and crash like any other.
func TestLimitedScriptsEnd(t *testing.T) {
	dir := folder(t, files{"sleeps": family + "while :; do wait; done\n", "noexec": "no program", "eats": "#!/usr/bin/env python3\nx = ' ' * (1 << 30)\n"})
	limits := cgi.Limits{Memory: 512 << 20}
	site := open(t, dir, cgi.Config{Limits: limits})
	s := site.serve(t, testserver.H1)
	for name, want := range map[string]int{"noexec": 403, "eats": 502} {
		if res := s.Get("/cgi-bin/" + name); res.Status != want {
			t.Errorf("%s: %d, want %d", name, res.Status, want)
		}
	}
	site.log.Line(t, "MemoryError")
	overdue(t, dir, func(timeout time.Duration) {
		s := open(t, dir, cgi.Config{Limits: limits, Timeout: timeout, KillGrace: -1}).serve(t, testserver.H1)
		if res := s.Get("/cgi-bin/sleeps"); res.Status != 504 {
			t.Errorf("sleeps: %d, want 504", res.Status)
		}
	})
}

// Scripts run as the user that is configured, if the server may do that, and
// otherwise not at all.
func TestUser(t *testing.T) {
	dir := folder(t, files{"id": text + "id -u; id -g; id -G\n"})
	res := open(t, dir, cgi.Config{User: nobodyElse}).serve(t, testserver.H1).Get("/cgi-bin/id")
	if os.Getuid() != 0 {
		if res.Status != 502 {
			t.Errorf("%d %q", res.Status, res.Text())
		}
		return
	}
	if res.Text() != "61234\n61234\n61234\n" {
		t.Errorf("%q", res.Text())
	}
}

// A fork bomb gets no further than the limit, and all of it ends.
func TestForkBomb(t *testing.T) {
	user, uid := nobodyElse, "61234"
	if os.Getuid() != 0 {
		user, uid = nil, strconv.Itoa(os.Getuid()) // it runs as we do
	}
	// What else the user runs counts as well, and so does what an earlier bomb has
	// left and nobody has reaped.
	limit := 40 + threadsOf(uid)
	dir := folder(t, files{"bomb": "#!/usr/bin/perl\nfork while 1;\n"})
	site := open(t, dir, cgi.Config{User: user, Limits: cgi.Limits{Processes: limit}, Timeout: time.Second, KillGrace: -1})
	s := site.serve(t, testserver.H1)
	most, stop, counted := 0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(counted)
		for {
			select {
			case <-stop:
				return
			default:
				most = max(most, bombsOf(uid))
			}
		}
	}()
	if res := s.Get("/cgi-bin/bomb"); res.Status != 504 {
		t.Errorf("%d", res.Status)
	}
	close(stop)
	<-counted
	if most < 2 || most > limit {
		t.Errorf("%d processes at the most, the limit is %d", most, limit)
	}
	testserver.Eventually(t, "the end of the bomb", func() bool { return bombsOf(uid) == 0 })
}

// bombsOf counts the processes of a user that run the script called bomb.
func bombsOf(uid string) (n int) {
	for status := range statuses(uid) {
		if strings.HasPrefix(status, "Name:\tbomb\n") && !strings.Contains(status, "\nState:\tZ") {
			n++
		}
	}
	return n
}

// threadsOf counts the threads of a user, which are what Linux bounds.
func threadsOf(uid string) (n int) {
	for status := range statuses(uid) {
		_, rest, _ := strings.Cut(status, "\nThreads:\t")
		number, _, _ := strings.Cut(rest, "\n")
		threads, _ := strconv.Atoi(number) // one that ends has none
		n += threads
	}
	return n
}

// statuses are what Linux tells of the processes of a user.
func statuses(uid string) iter.Seq[string] {
	return func(yield func(string) bool) {
		all, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is fine
		for _, name := range all {
			status, err := os.ReadFile(name)
			if err == nil && strings.Contains(string(status), "\nUid:\t"+uid+"\t") && !yield(string(status)) {
				return
			}
		}
	}
}

func TestWarmLimitsAndUser(t *testing.T) {
	dir := folder(t, files{"script.py": "#!/usr/bin/python3\nimport os, resource\n" + typed + "print(os.getuid(), os.getgid(), resource.getrlimit(resource.RLIMIT_NOFILE))\n"})
	c := cgi.Config{Limits: cgi.Limits{Files: 20}}
	want := fmt.Sprintf("%d %d (20, 20)\n", os.Getuid(), os.Getgid()) // it runs as we do
	if os.Getuid() == 0 {
		c.User, want = nobodyElse, "61234 61234 (20, 20)\n"
	}
	res := way{warm: true}.open(t, dir, c).serve(t, testserver.H1).Get("/cgi-bin/script.py")
	if res.Text() != want {
		t.Errorf("%d %q, want %q", res.Status, res.Text(), want)
	}
}
