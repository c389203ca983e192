package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// keyVersion is the first byte of what is sealed, so that a later key can be told from this one.
const keyVersion = 1

// vault seals personal values with AES-256-GCM and makes the keyed hashes by which they are looked up. Its
// keys are derived from the data key, one for each use.
type vault struct {
	aead   cipher.AEAD
	index  []byte // finds a provider's identifier
	search []byte // finds a customer by e-mail address or phone number
}

// cell is one value's place in the database. A sealed value opens in its own cell alone, so that nobody who
// can write to the database can pass one customer's identifier off as another's.
type cell struct{ table, column, row string }

// sealError says that a value could not be opened. It names the place without the row.
type sealError struct{ cell cell }

// Error names table and column.
func (e *sealError) Error() string {
	return "the sealed value in " + e.cell.table + "." + e.cell.column + " cannot be opened with this key in this place"
}

func newVault(dataKey []byte) (*vault, error) {
	if len(dataKey) != 32 {
		return nil, errors.New("store: the data key has to be 32 bytes long")
	}
	var keys [3][]byte
	for i, use := range []string{"sealing", "index", "search"} {
		key, err := hkdf.Key(sha256.New, dataKey, nil, "creditgraph store "+use+" v1", 32)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	block, err := aes.NewCipher(keys[0])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &vault{aead: aead, index: keys[1], search: keys[2]}, nil
}

// seal encrypts a value for its cell: version, nonce, ciphertext with tag. Nothing stays nothing.
func (v *vault) seal(at cell, plain []byte) []byte {
	if len(plain) == 0 {
		return nil
	}
	sealed := make([]byte, 1+v.aead.NonceSize(), 1+v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	sealed[0] = keyVersion
	nonce := sealed[1:]
	rand.Read(nonce) // it never fails: crypto/rand ends the process instead
	return v.aead.Seal(sealed, nonce, plain, at.bytes())
}

// open is the reverse of seal.
func (v *vault) open(at cell, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	head := 1 + v.aead.NonceSize()
	if len(sealed) < head || sealed[0] != keyVersion {
		return nil, &sealError{at}
	}
	plain, err := v.aead.Open(nil, sealed[1:head], sealed[head:], at.bytes())
	if err != nil {
		return nil, &sealError{at}
	}
	return plain, nil
}

// lookup is the keyed hash that finds a provider's identifier without telling it. Space around the
// identifier does not count.
func (v *vault) lookup(provider lending.Provider, externalID string) []byte {
	return v.hash("identity", string(provider), strings.TrimSpace(externalID))
}

// blind is the keyed hash that finds a customer by a value of a kind without telling it; nil for no value. The
// kind keeps equal texts of two kinds apart.
func (v *vault) blind(kind, value string) []byte {
	if value == "" {
		return nil
	}
	return keyedHash(v.search, kind, value)
}

// proof tells the key from another one, and nothing more.
func (v *vault) proof() []byte { return v.hash("proof of the key") }

func (v *vault) hash(parts ...string) []byte { return keyedHash(v.index, parts...) }

func keyedHash(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(joined(parts...))
	return mac.Sum(nil)
}

func (c cell) bytes() []byte { return joined(string(rune(keyVersion)), c.table, c.column, c.row) }

// joined puts texts one behind the other, each after its length, so that no two lists look the same.
func joined(parts ...string) []byte {
	var b []byte
	for _, part := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}
