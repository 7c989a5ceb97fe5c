package webapps

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/owncookies"
)

// cookieName is that of the cookie by which a session stays with the version that
// it began with. Applications do not see it.
const cookieName = owncookies.Prefix + "version"

// sessionTime is how long a session stays with its version at most: an old
// version that is still wanted after a day will be wanted for ever.
const sessionTime = 24 * time.Hour

// keySize is that of the key, in bytes: as much as the hash has.
const keySize = sha256.Size

// cookies makes and reads version cookies. A cookie holds the version and the
// time when it ends, signed together with the path: it is worth nothing for
// another application, and nobody gets at a version that was not given to him.
type cookies struct {
	key    []byte
	scheme func(*http.Request) string
	now    func() time.Time
}

// openCookies reads the key in dir, or makes one.
func openCookies(dir string, scheme func(*http.Request) string) (*cookies, error) {
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keySize)
		_, _ = rand.Read(key) // it never fails
		err = writeFile(path, key)
	}
	if err != nil {
		return nil, fmt.Errorf("webapps: key of version cookies: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("webapps: key of version cookies: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || len(key) != keySize {
		return nil, fmt.Errorf("webapps: key of version cookies: %s is not a file of %d bytes that only its owner can read; remove it, and another is made", path, keySize)
	}
	return &cookies{key, scheme, time.Now}, nil
}

// sign is the signature of a session of that path and version until then.
func (c *cookies) sign(path, version, until string) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "%s\x00%s\x00%s", path, version, until) // a hash.Hash takes everything
	return h.Sum(nil)
}

// set begins a session with the version that name says.
func (c *cookies) set(w http.ResponseWriter, r *http.Request, name ContextName) {
	until := strconv.FormatInt(c.now().Add(sessionTime).Unix(), 36)
	cookie := http.Cookie{
		Name: cookieName,
		// The version stands last: it may hold dots.
		Value: until + "." + base64.RawURLEncoding.EncodeToString(c.sign(name.Path(), name.Version(), until)) + "." + name.Version(),
		Path:  strings.TrimSuffix(name.Path(), "/") + "/", MaxAge: int(sessionTime / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.scheme(r) == "https",
	}
	w.Header().Add("Set-Cookie", cookie.String())
}

// version is the one that r's session at path belongs to.
func (c *cookies) version(r *http.Request, path string) (version string, ok bool) {
	// A browser sends those of longer paths first: of /shop, one of / may follow.
	for _, cookie := range r.CookiesNamed(cookieName) {
		until, rest, _ := strings.Cut(cookie.Value, ".")
		text, version, _ := strings.Cut(rest, ".")
		signature, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || !hmac.Equal(signature, c.sign(path, version, until)) {
			continue
		}
		if end, err := strconv.ParseInt(until, 36, 64); err == nil && c.now().Unix() < end {
			return version, true
		}
	}
	return "", false
}
