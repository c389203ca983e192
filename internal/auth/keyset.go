package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

const (
	refreshEvery = 10 * time.Minute
	// retryEvery is how soon keys are asked for again that could not be had.
	retryEvery = 15 * time.Second
	// refetchGap is the least time between two looks for keys that tokens name and nobody knows.
	refetchGap   = 10 * time.Second
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20
	minRSA       = 2048 // bits
)

// errNoKeys is the failure to know whether a token is good: its key is none of those that are known, and the address
// cannot be asked for others.
var errNoKeys = errors.New("the keys cannot be fetched")

// keySet keeps the public keys that an identity provider publishes at an address (RFC 7517). The last good ones
// stay while the address is away. The library's own storage is not used for that: it forgets all keys when the
// address answers {}, refuses good tokens that come while a renewed key is being fetched, and reads without a
// limit.
type keySet struct {
	url    string
	client *http.Client
	every  time.Duration
	now    func() time.Time
	log    *slog.Logger
	known  atomic.Pointer[keyfunc.Keyfunc] // nil until keys were fetched
	away   atomic.Bool                     // the last look at the address failed

	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	behind sync.WaitGroup

	mu        sync.Mutex
	under     *fetch    // the one under way; nil without one
	attempted time.Time // when the last one began
}

// fetch is one look at the address, for all who wait for it.
type fetch struct {
	done chan struct{}
	err  error // of use when done is closed
}

func newKeySet(c IdentityConfig) *keySet {
	s := &keySet{url: c.JWKSURL, client: c.Client, every: c.RefreshEvery, now: c.Clock, log: c.Logger.With("part", "identity provider")}
	if s.client == nil {
		s.client = &http.Client{
			Transport: http.DefaultTransport.(*http.Transport).Clone(),
			// The address is checked once: it may not lead to another.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if s.every == 0 {
		s.every = refreshEvery
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *keySet) start() {
	s.behind.Go(func() {
		for {
			wait := s.every
			if s.renew(0) != nil {
				wait = min(s.every, retryEvery)
			}
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
				return
			}
		}
	})
}

func (s *keySet) stop() {
	s.cancel()
	s.behind.Wait()
	s.client.CloseIdleConnections()
}

// key finds the key that a token names; it is a [jwt.Keyfunc]. A key that nobody knows may be a new one: the
// address is asked again, by one request for all and not often.
func (s *keySet) key(token *jwt.Token) (any, error) {
	if kid, ok := token.Header[jwkset.HeaderKID].(string); !ok || kid == "" {
		return nil, errors.New("the token names no key")
	}
	if _, critical := token.Header["crit"]; critical {
		return nil, errors.New("the token has extensions that have to be understood, and are not")
	}
	key, err := s.find(token)
	if !errors.Is(err, jwkset.ErrKeyNotFound) && !errors.Is(err, errNoKeys) {
		return key, err
	}
	_ = s.renew(refetchGap) // whether it failed, or failed before, is told by away
	key, err = s.find(token)
	if errors.Is(err, jwkset.ErrKeyNotFound) && s.away.Load() {
		return nil, errNoKeys
	}
	return key, err
}

func (s *keySet) find(token *jwt.Token) (any, error) {
	known := s.known.Load()
	if known == nil {
		return nil, errNoKeys
	}
	return (*known).Keyfunc(token)
}

// renew fetches the keys, or waits for the fetch under way. It does nothing within gap of the last one.
func (s *keySet) renew(gap time.Duration) error {
	s.mu.Lock()
	under, now := s.under, s.now()
	mine := under == nil && now.Sub(s.attempted) >= gap
	if mine {
		under = &fetch{done: make(chan struct{})}
		s.under, s.attempted = under, now
	}
	s.mu.Unlock()
	if under == nil {
		return nil
	}
	if mine {
		under.err = s.replace()
		s.mu.Lock()
		s.under = nil
		s.mu.Unlock()
		close(under.done)
	}
	<-under.done
	return under.err
}

// replace takes over the keys that the address has now. Those that it no longer has are good for nothing.
func (s *keySet) replace() error {
	keys, err := s.download()
	s.away.Store(err != nil)
	if err == nil {
		s.known.Store(&keys)
		return nil
	}
	if s.ctx.Err() == nil {
		s.log.Warn("the keys of the identity provider cannot be fetched; those that are known stay", "error", err)
	}
	return err
}

func (s *keySet) download() (keyfunc.Keyfunc, error) {
	ctx, cancel := context.WithTimeout(s.ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the address answers %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySet {
		return nil, errors.New("the answer is too large")
	}
	return readKeys(ctx, body)
}

// readKeys reads a set. Keys that are of no use here, such as those for encryption, are left out.
func readKeys(ctx context.Context, body []byte) (keyfunc.Keyfunc, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the answer is no set of keys: %w", err)
	}
	var keys []jwkset.JWK
	for _, raw := range set.Keys {
		if key, ok := readKey(raw); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key for verifying signatures in the answer")
	}
	storage := jwkset.NewMemoryStorage()
	if err := storage.KeyReplaceAll(ctx, keys); err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{Ctx: context.WithoutCancel(ctx), Storage: storage})
}

// readKey reads one key; false when it is not for signatures under one of our algorithms.
func readKey(raw json.RawMessage) (jwkset.JWK, bool) {
	var m jwkset.JWKMarshal
	if json.Unmarshal(raw, &m) != nil || m.KID == "" || m.USE != "" && m.USE != jwkset.UseSig {
		return jwkset.JWK{}, false
	}
	m.X5U, m.X5C, m.X5T, m.X5TS256 = "", nil, "", "" // certificates prove nothing here, and are not fetched
	key, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return jwkset.JWK{}, false
	}
	switch public := key.Key().(type) {
	case *rsa.PublicKey:
		return key, public.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return key, public.Curve == elliptic.P256() // as ES256 has it
	case ed25519.PublicKey:
		return key, true
	}
	return jwkset.JWK{}, false
}
