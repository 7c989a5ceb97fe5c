package manager

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Bounds of a password. Below eight characters no hash helps; the upper end only
// bounds what a stranger can have hashed, in bytes.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// cost is what a hash takes. The value for new ones is the second recommended
// option of RFC 9106, section 4: a tenth of a second, and memory that a server
// can spare for that long.
type cost struct {
	time, memory uint32 // passes; KiB
	threads      uint8
}

func usualCost() cost { return cost{time: 3, memory: 64 << 10, threads: 4} }

// Sizes of salt and hash, in bytes (RFC 9106, section 3.1).
const (
	saltSize = 16
	hashSize = 32
)

// errHash is a text that is no hash of ours.
var errHash = errors.New(`it is no hash of a password; "gatehouse manager password" prints one`)

// Hash returns what a configuration holds in place of a password, in the PHC
// string format: argon2id with a salt of its own. The error says what is wrong
// with the password.
func Hash(password string) (string, error) {
	switch {
	case !utf8.ValidString(password):
		return "", errors.New("the password is not UTF-8, and browsers send nothing else")
	case utf8.RuneCountInString(password) < MinPassword:
		return "", fmt.Errorf("the password is too short; %d characters are the least", MinPassword)
	case len(password) > MaxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", MaxPassword)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // it never fails
	return usualCost().encode(salt, usualCost().key(password, salt)), nil
}

func (c cost) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, hashSize)
}

func (c cost) encode(salt, key []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads, text(salt), text(key))
}

// hash is a password as a configuration has it.
type hash struct {
	cost cost
	salt []byte
	key  []byte
}

// ParseHash checks that text is what Hash returns.
func ParseHash(text string) error {
	_, err := parseHash(text)
	return err
}

func parseHash(text string) (*hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return nil, errHash
	}
	var version int
	h := &hash{}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.cost.memory, &h.cost.time, &h.cost.threads); err != nil {
		return nil, errHash
	}
	// Other programs write such hashes too. These bounds keep a slip from taking
	// all memory at each log-in.
	if c := h.cost; c.time < 1 || c.time > 64 || c.threads < 1 || c.memory < 8*uint32(c.threads) || c.memory > 1<<20 {
		return nil, errHash
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 {
		return nil, errHash
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) != hashSize {
		return nil, errHash
	}
	return h, nil
}

// matches reports whether password is the one that was hashed.
func (h *hash) matches(password string) bool {
	if len(password) > MaxPassword {
		return false
	}
	return subtle.ConstantTimeCompare(h.cost.key(password, h.salt), h.key) == 1
}
