package storetest

import (
	"github.com/creditgraph/creditgraph/internal/lending"
)

func identityChecks() []check {
	return []check{
		{"identities come back by customer", identityRoundTrip},
		{"a customer is found by an identity", customerByIdentity},
		{"an identity stays with its customer", identityTaken},
		{"a customer has one identity at a provider", identityReplaced},
		{"nobody is linked to nothing", identityOfNobody},
	}
}

func identityRoundTrip(b *bench) {
	ada, obi := b.customer(), b.customer()
	want := map[lending.CustomerID][]lending.Identity{
		ada: {
			{CustomerID: ada, Provider: lending.Kredete, ExternalID: "k-1", LinkedAt: at(1)},
			{CustomerID: ada, Provider: lending.TrustDecision, ExternalID: "22212345678", LinkedAt: at(2)},
		},
		obi: {{CustomerID: obi, Provider: lending.Kredete, ExternalID: "k-2", LinkedAt: at(3)}},
	}
	for _, list := range want {
		for _, identity := range list {
			b.must(b.store.Link(b.ctx, identity))
		}
	}
	found, err := b.store.Identities(b.ctx, []lending.CustomerID{ada, obi, "nobody"})
	b.must(err)
	same(b, "identities", found, want)
	found, err = b.store.Identities(b.ctx, nil)
	b.must(err)
	same(b, "identities of nobody", found, nil)
}

func customerByIdentity(b *bench) {
	ada := b.customer()
	b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: ada, Provider: lending.Kredmint, ExternalID: "+919812345678"}))
	id, err := b.store.CustomerByIdentity(b.ctx, lending.Kredmint, " +919812345678 ")
	b.must(err)
	same(b, "customer", id, ada)
	_, err = b.store.CustomerByIdentity(b.ctx, lending.Carbon, "+919812345678")
	b.wantKind(err, lending.KindNotFound)
	_, err = b.store.CustomerByIdentity(b.ctx, lending.Kredmint, "+919812345679")
	b.wantKind(err, lending.KindNotFound)
}

func identityTaken(b *bench) {
	ada, obi := b.customer(), b.customer()
	b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: ada, Provider: lending.Carbon, ExternalID: "x"}))
	b.wantKind(b.store.Link(b.ctx, lending.Identity{CustomerID: obi, Provider: lending.Carbon, ExternalID: "x"}), lending.KindConflict)
	b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: obi, Provider: lending.OnePipe, ExternalID: "x"}))
	id, err := b.store.CustomerByIdentity(b.ctx, lending.Carbon, "x")
	b.must(err)
	same(b, "customer", id, ada)
}

func identityReplaced(b *bench) {
	ada := b.customer()
	for _, external := range []string{"old", "new", "new"} {
		b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: ada, Provider: lending.Carbon, ExternalID: external, LinkedAt: at(1)}))
	}
	found, err := b.store.Identities(b.ctx, []lending.CustomerID{ada})
	b.must(err)
	same(b, "identities", found[ada], []lending.Identity{{CustomerID: ada, Provider: lending.Carbon, ExternalID: "new", LinkedAt: at(1)}})
	_, err = b.store.CustomerByIdentity(b.ctx, lending.Carbon, "old")
	b.wantKind(err, lending.KindNotFound)
}

func identityOfNobody(b *bench) {
	err := b.store.Link(b.ctx, lending.Identity{CustomerID: "nobody", Provider: lending.Carbon, ExternalID: "x"})
	b.wantKind(err, lending.KindNotFound)
}
