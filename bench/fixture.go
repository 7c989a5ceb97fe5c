//go:build linux

package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed all:testdata/app testdata/cgi testdata/httpd.conf
var fixtures embed.FS

// app is an application of testdata/app and how many processes run it.
type app struct {
	target  string // module:callable
	workers int
}

var (
	hello = app{"hello:application", 1}
	bulk  = app{"bulk:application", 1}
	board = app{"board:application", 1}
	shop  = app{"shop.wsgi:application", 1}
	naps  = app{"nap:application", 4}
)

// appDir is the folder that applications are served from.
func (s settings) appDir() string { return filepath.Join(s.dir, "app") }

// writeFixtures fills the scratch folder with the files, the applications and
// the database that are served.
func writeFixtures(s settings) error {
	if err := os.Chmod(s.dir, 0o755); err != nil { // nginx's worker drops root
		return err
	}
	site := filepath.Join(s.dir, "site")
	if err := os.Mkdir(site, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"1k.html": bytes.Repeat([]byte("<p>sixteen bytes"), 64),
		"10m.bin": bytes.Repeat([]byte{0xA5, 0x5A, 0x00, 0xFF}, 10<<20/4),
	} {
		if err := os.WriteFile(filepath.Join(site, name), content, 0o644); err != nil {
			return err
		}
	}
	given, err := fs.Sub(fixtures, "testdata")
	if err != nil {
		return err
	}
	return os.CopyFS(s.dir, given)
}

// stockShop makes the shop's database.
func stockShop(s settings) error {
	if _, err := os.Stat(filepath.Join(s.appDir(), "shop", "db.sqlite3")); err == nil {
		return nil
	}
	return runQuietly(s.appDir(), nil, s.tool("python"), "-m", "shop.stock")
}

// runQuietly runs a command in dir with env added; its output is told only when it fails.
func runQuietly(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
