package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Client is a program that may get tokens.
type Client struct {
	lending.Private
	ID         string
	Name       string
	SecretHash string // see [HashSecret]
	Scopes     []Scope
	Customer   lending.CustomerID // the only one that its tokens open; "" for all
	Plan       string             // one of [Plans]
	Revoked    bool
}

// ClientFinder finds a client; NOT_FOUND when there is none.
type ClientFinder interface {
	Client(ctx context.Context, id string) (Client, error)
}

// clientPrefix begins the ids that the service gives.
const clientPrefix = "client_"

// NewClientID is a fresh client id.
func NewClientID() string { return clientPrefix + uuid.NewString() }

// isClientID reports whether an id is one that the service may have given.
func isClientID(id string) bool {
	rest, ours := strings.CutPrefix(id, clientPrefix)
	return ours && uuid.Validate(rest) == nil
}

// maxID is how long the id of who asks may be.
const maxID = 255

// isID reports whether a text may be the id of who asks: as RFC 6749 has it, of visible letters alone.
func isID(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && len(text) <= maxID
}

// NewSecret is a fresh client secret: 256 random bits, so that a plain hash of it is safe to keep.
func NewSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// HashSecret is what is kept of a client secret.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
