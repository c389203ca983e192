package cached

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// minSecret is the least length of [Config].KeySecret in bytes.
const minSecret = 16

// keyring holds the two keys that come of the deployment's secret.
type keyring struct {
	index []byte      // names entries
	seal  cipher.AEAD // hides their content
}

func newKeyring(secret []byte) (*keyring, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("cached: the key secret has %d bytes, and needs at least %d", len(secret), minSecret)
	}
	index, err := hkdf.Key(sha256.New, secret, nil, "creditgraph cache: names of entries", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("cached: derive the key for names: %w", err)
	}
	content, err := hkdf.Key(sha256.New, secret, nil, "creditgraph cache: content of entries", 32)
	if err != nil {
		return nil, fmt.Errorf("cached: derive the key for content: %w", err)
	}
	block, err := aes.NewCipher(content)
	if err != nil {
		return nil, fmt.Errorf("cached: cipher: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("cached: cipher mode: %w", err)
	}
	return &keyring{index: index, seal: seal}, nil
}

// identify is the name under which a key of a read is kept, wherever it is kept. The parts are prefixed
// with their lengths, so that no two pairs run together.
func (k *keyring) identify(read, key string) string {
	mac := hmac.New(sha256.New, k.index)
	buffer := make([]byte, 0, 64)
	for _, part := range [...]string{read, key} {
		buffer = binary.BigEndian.AppendUint64(buffer[:0], uint64(len(part)))
		buffer = append(buffer, part...)
		mac.Write(buffer) // a hash never fails to write
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(buffer[:0]))
}

// space is one kind of read, as far as the tiers have to know of it.
type space struct {
	read  string        // its name, for counts and logs
	shape string        // of its values: another one is another entry
	keep  time.Duration // the longest that an entry of it is kept
	lease time.Duration // how long one refresh keeps others away
}

// slot is the place of one key of one read.
type slot struct {
	id    string
	space *space
}

// newMark is a mark that was never used before.
func newMark() string { return rand.Text() }

// shapeOf is a short fingerprint of how values of a type look as JSON. It is part of an entry's key, so
// that a new release, whose type has another field, does not read what an old one wrote.
func shapeOf(t reflect.Type) string {
	var text strings.Builder
	describe(&text, t, map[reflect.Type]bool{})
	sum := sha256.Sum256([]byte(text.String()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func describe(text *strings.Builder, t reflect.Type, above map[reflect.Type]bool) {
	text.WriteString(t.String())
	if above[t] || writesItself(t) {
		return
	}
	above[t] = true
	defer delete(above, t)
	switch t.Kind() {
	case reflect.Struct:
		text.WriteByte('{')
		for field := range t.Fields() {
			text.WriteString(field.Name + " `" + string(field.Tag) + "` ")
			describe(text, field.Type, above)
			text.WriteByte(';')
		}
		text.WriteByte('}')
	case reflect.Map:
		describe(text, t.Key(), above)
		describe(text, t.Elem(), above)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		describe(text, t.Elem(), above)
	default:
		text.WriteString(t.Kind().String())
	}
}

// writesItself reports whether a type has its own JSON form: its fields then tell nothing.
func writesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
