package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

func inboxChecks() []check {
	return []check{
		{"a delivery is stored once", deliveryOnce},
		{"a nonce is for one delivery", deliveryNonce},
		{"of many that store one delivery at the same time one does", deliveryTogether},
		{"deliveries that are due are claimed in the order of receipt", deliveriesDue},
		{"what became of a delivery is kept and what was received stays", deliveryUpdated},
		{"a held delivery is found by the loan that it waits for", deliveryHeld},
		{"claims at the same time share no delivery", deliveryClaimsTogether},
		{"it is known when each provider's newest delivery came", deliveryNewest},
	}
}

func (b *bench) delivery(changes ...func(*service.Delivery)) *service.Delivery {
	id := b.id("delivery")
	d := &service.Delivery{
		ID: id, Provider: lending.Kredete, DedupeKey: "key-" + id, Body: []byte("{\"n\": \"\x00\xff\"}"), ReceivedAt: at(b.ids),
		State: service.DeliveryReceived, UpdatedAt: at(b.ids),
	}
	for _, change := range changes {
		change(d)
	}
	return d
}

func (b *bench) put(changes ...func(*service.Delivery)) *service.Delivery {
	b.Helper()
	d := b.delivery(changes...)
	added, err := b.store.PutDelivery(b.ctx, d)
	b.must(err)
	if !added {
		b.Fatalf("delivery %s was there already", d.ID)
	}
	return d
}

func (b *bench) claimed(now time.Time, limit int) []*service.Delivery {
	b.Helper()
	got, err := b.store.ClaimDeliveries(b.ctx, now, now.Add(time.Minute), limit)
	b.must(err)
	return got
}

func deliveryOnce(b *bench) {
	b.put(func(d *service.Delivery) { d.DedupeKey, d.Nonce = "k", "n" })
	added, err := b.store.PutDelivery(b.ctx, b.delivery(func(d *service.Delivery) { d.DedupeKey, d.Nonce = "k", "n" }))
	b.must(err)
	same(b, "added again", added, false)
	b.put(func(d *service.Delivery) { d.DedupeKey, d.Nonce, d.Provider = "k", "n", lending.Kredmint })
	same(b, "deliveries", len(b.claimed(at(100), 10)), 2)
}

func deliveryNonce(b *bench) {
	b.put(func(d *service.Delivery) { d.Nonce = "n" })
	_, err := b.store.PutDelivery(b.ctx, b.delivery(func(d *service.Delivery) { d.Nonce = "n" }))
	b.wantKind(err, lending.KindConflict)
	b.put()
	b.put() // no nonce is no nonce twice
}

func deliveryTogether(b *bench) {
	var all []*service.Delivery
	for range 20 {
		all = append(all, b.delivery(func(d *service.Delivery) { d.DedupeKey, d.Nonce = "k", "n" }))
	}
	var added atomic.Int32
	for _, err := range together(len(all), func(i int) error {
		first, err := b.store.PutDelivery(b.ctx, all[i])
		if first {
			added.Add(1)
		}
		return err
	}) {
		b.must(err)
	}
	same(b, "added", added.Load(), 1)
}

func deliveriesDue(b *bench) {
	third := b.put(func(d *service.Delivery) { d.ReceivedAt = at(3) })
	second := b.put(func(d *service.Delivery) { d.ReceivedAt, d.NextTryAt = at(2), at(50) })
	first := b.put(func(d *service.Delivery) { d.ReceivedAt = at(1) })
	b.put(func(d *service.Delivery) { d.NextTryAt = at(51) })
	b.put(func(d *service.Delivery) { d.State = service.DeliveryApplied })
	b.put(func(d *service.Delivery) { d.State = service.DeliverySetAside })
	now := at(50)
	for _, d := range []*service.Delivery{first, second, third} {
		d.NextTryAt = now.Add(time.Minute)
	}
	same(b, "the first two", b.claimed(now, 2), []*service.Delivery{first, second})
	same(b, "the third", b.claimed(now, 10), []*service.Delivery{third})
	same(b, "nothing is left", len(b.claimed(now, 10)), 0)
	same(b, "again when the lease has run out", len(b.claimed(now.Add(time.Minute), 10)), 4)
}

func deliveryUpdated(b *bench) {
	d := b.put()
	changed := *d
	changed.Body, changed.DedupeKey = []byte("other"), "other"
	changed.Attempts, changed.LastError, changed.NextTryAt, changed.UpdatedAt = 3, "NOT_FOUND", at(10), at(11)
	claim := d.NextTryAt
	b.must(b.store.SettleDelivery(b.ctx, &changed, claim))
	b.lost(b.store.SettleDelivery(b.ctx, &changed, claim))
	d.Attempts, d.LastError, d.UpdatedAt, d.NextTryAt = 3, "NOT_FOUND", at(11), at(20).Add(time.Minute)
	same(b, "delivery", b.claimed(at(20), 1), []*service.Delivery{d})
	d.State = service.DeliveryApplied
	b.lost(b.store.SettleDelivery(b.ctx, d, at(19)))
	b.must(b.store.SettleDelivery(b.ctx, d, d.NextTryAt))
	same(b, "due when applied", len(b.claimed(at(1000), 1)), 0)
	b.lost(b.store.SettleDelivery(b.ctx, d, d.NextTryAt))
	b.lost(b.store.SettleHeld(b.ctx, d))
	b.lost(b.store.SettleDelivery(b.ctx, b.delivery(), at(20)))
}

// lost wants that somebody else was faster.
func (b *bench) lost(err error) {
	b.Helper()
	if !errors.Is(err, service.ErrLeaseLost) {
		b.Errorf("it gave %v, want ErrLeaseLost", err)
	}
}

func deliveryClaimsTogether(b *bench) {
	for range 40 {
		b.put()
	}
	var mu sync.Mutex
	claims := map[string]int{}
	for _, err := range together(8, func(int) error {
		got, err := b.store.ClaimDeliveries(b.ctx, at(100), at(200), 5)
		mu.Lock()
		defer mu.Unlock()
		for _, d := range got {
			claims[d.ID]++
		}
		return err
	}) {
		b.must(err)
	}
	for id, times := range claims {
		if times != 1 {
			b.Errorf("%s was claimed %d times", id, times)
		}
	}
	same(b, "claimed in all", len(claims)+len(b.claimed(at(100), 100)), 40)
}

func deliveryHeld(b *bench) {
	hold := func(d *service.Delivery, loan string) *service.Delivery {
		d.State, d.Awaits = service.DeliveryHeld, loan
		b.must(b.store.SettleDelivery(b.ctx, d, d.NextTryAt))
		return d
	}
	first, other := b.put(), b.put()
	second := b.put()
	hold(second, "loan_1")
	hold(first, "loan_1")
	hold(other, "loan_2")
	hold(b.put(func(d *service.Delivery) { d.Provider = lending.Kredmint }), "loan_1")
	got, err := b.store.HeldDeliveries(b.ctx, lending.Kredete, "loan_1")
	b.must(err)
	same(b, "held", got, []*service.Delivery{first, second})
	same(b, "claimed", len(b.claimed(at(1000), 10)), 0)
	first.State, first.Awaits = service.DeliveryApplied, ""
	b.must(b.store.SettleHeld(b.ctx, first))
	b.lost(b.store.SettleHeld(b.ctx, first))
	got, err = b.store.HeldDeliveries(b.ctx, lending.Kredete, "loan_1")
	b.must(err)
	same(b, "still held", got, []*service.Delivery{second})
}

func deliveryNewest(b *bench) {
	before, err := b.store.NewestDeliveries(b.ctx)
	b.must(err)
	same(b, "before any", before, map[lending.Provider]time.Time{})
	for _, d := range []struct {
		provider lending.Provider
		at       int
		state    service.DeliveryState
	}{
		{lending.Kredete, 3, service.DeliveryApplied},
		{lending.Kredete, 7, service.DeliverySetAside},
		{lending.Kredete, 5, service.DeliveryReceived},
		{lending.Kredmint, 4, service.DeliveryHeld},
	} {
		b.put(func(row *service.Delivery) { row.Provider, row.ReceivedAt, row.State = d.provider, at(d.at), d.state })
	}
	newest, err := b.store.NewestDeliveries(b.ctx)
	b.must(err)
	same(b, "newest", newest, map[lending.Provider]time.Time{lending.Kredete: at(7), lending.Kredmint: at(4)})
}
