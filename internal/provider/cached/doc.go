// Package cached answers reads of the providers from what was read before: in Redis, shared by all
// replicas, or in the process alone where there is no Redis or it does not answer.
//
// A [Reader] answers many keys of one kind of read. Each entry has three ages. Until its soft time it is
// answered as it is. From there to its hard time it is answered at once too, and read anew behind the
// answer, by one replica alone. After its hard time it is read before it is answered; should that fail,
// the old entry is answered as STALE for some time yet. An error is never kept, except that a provider
// knows nothing of a key, and that briefly.
//
// # What is kept, and how it is protected
//
// An entry may hold a name, an e-mail address and a phone number, and the key that it is read by may be
// one of these itself. Redis is often shared, seldom encrypted, and ends up in dumps and slow logs; so
// nothing personal goes there in the clear. A key is an HMAC-SHA256 of the read's name and the key; a
// value is sealed with AES-256-GCM. Both keys are derived with HKDF from one secret of the deployment,
// which all of its replicas share. A seal covers the key that the entry was written under, so that an
// entry which somebody moved, or a reply which a client library handed to the wrong caller (go-redis
// before 9.7.3), does not open. Nonces are random, which is safe for about 2³² entries under one secret.
//
// # Evictions
//
// An eviction changes a random mark that stands in Redis beside the entry, and each entry names the mark
// under which its load began. A load that was under way during an eviction, on whichever replica, leaves
// an entry with the old mark, and that is not taken for an answer. Other replicas are told by pub/sub,
// for what they keep in their own memory.
//
// # When Redis fails
//
// Each step with Redis has a budget of some milliseconds and stands behind a breaker; while that is open
// nothing waits for Redis, and the process answers from its own memory and from the providers. Evictions
// of that time are remembered and sent ahead of the first read that reaches Redis again.
package cached
