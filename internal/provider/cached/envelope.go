package cached

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	rediscache "github.com/go-redis/cache/v9"
)

// envelope is an answer of a provider with its ages. Times are Unix nanoseconds, because msgpack, in
// which go-redis/cache writes it, loses time zones.
type envelope struct {
	Payload    []byte // the value as JSON; none where the provider knows nothing of the key
	NotFound   bool
	FetchedAt  int64 // when the load began: the answer is no older than that
	SoftUntil  int64
	HardUntil  int64
	KeepUntil  int64
	Generation string // the eviction mark under which the load began
}

func (e *envelope) fetchedAt() time.Time { return time.Unix(0, e.FetchedAt).UTC() }

func (e *envelope) expired(now time.Time) bool { return now.UnixNano() >= e.KeepUntil }

// verdict is what to do with an entry.
type verdict int

const (
	mustLoad verdict = iota
	serve
	serveAndRefresh
)

// judge says what an entry is good for. A wish for a younger answer goes before the entry's own ages; a
// wish for an older one does not outlive the hard time.
func (e *envelope) judge(now time.Time, maxAge *time.Duration) verdict {
	at := now.UnixNano()
	switch {
	case e == nil, at >= e.HardUntil:
		return mustLoad
	case maxAge != nil && (*maxAge <= 0 || at-e.FetchedAt > int64(*maxAge)):
		return mustLoad
	case at < e.SoftUntil:
		return serve
	}
	return serveAndRefresh
}

// The sealed form of an envelope: a header in the clear, then what AES-GCM makes of the envelope. The
// header tells the local tier when the entry ends, and the reader whose it is; the seal covers it.
const (
	sealVersion = 1
	ownerAt     = 1 + 8 // after the version and KeepUntil
)

var (
	errNotSealed  = errors.New("cached: not a sealed entry")
	errOtherOwner = errors.New("cached: an entry of another key")
)

// codec turns envelopes into the bytes that are kept, and back.
type codec struct {
	keys *keyring
	pack *rediscache.Cache // for its msgpack and compression
}

func (c *codec) seal(s slot, e *envelope) ([]byte, error) {
	packed, err := c.pack.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("cached: pack: %w", err)
	}
	header := make([]byte, 0, ownerAt+len(s.id)+len(packed)+c.keys.seal.Overhead())
	header = append(header, sealVersion)
	header = binary.BigEndian.AppendUint64(header, uint64(e.KeepUntil))
	header = append(header, s.id...)
	return c.keys.seal.Seal(header, nil, packed, additional(header, s)), nil
}

// open reads what seal wrote for the same slot. [errOtherOwner] says that it is another's entry, whole or
// not; any other error that it is damaged, or was sealed under another secret.
func (c *codec) open(s slot, data []byte) (*envelope, error) {
	if _, ok := keptUntil(data); !ok || len(data) < ownerAt+len(s.id) {
		return nil, errNotSealed
	}
	header := data[:ownerAt+len(s.id)]
	if string(header[ownerAt:]) != s.id {
		return nil, errOtherOwner
	}
	packed, err := c.keys.seal.Open(nil, nil, data[len(header):], additional(header, s))
	if err != nil {
		return nil, fmt.Errorf("cached: unseal: %w", err)
	}
	e := &envelope{}
	if err := c.pack.Unmarshal(packed, e); err != nil {
		return nil, fmt.Errorf("cached: unpack: %w", err)
	}
	return e, nil
}

// additional is what a seal covers beside the content: the header, which names the owner, and the shape.
func additional(header []byte, s slot) []byte {
	return append(append(make([]byte, 0, len(header)+len(s.space.shape)), header...), s.space.shape...)
}

// keptUntil reads from a header when the entry ends; false where data is no sealed entry.
func keptUntil(data []byte) (time.Time, bool) {
	if len(data) < ownerAt || data[0] != sealVersion {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(data[1:ownerAt]))), true
}
