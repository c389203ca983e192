package resolvers

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/service"
)

// Source is where the loaders of each answer read.
func (r *Resolver) Source() loader.Source {
	return loader.Source{Records: r.records, Lists: r.records, Credit: credit{r.records, r.service}}
}

// credit reads what the service puts together.
type credit struct {
	records own
	service *service.Service
}

func (c credit) Identities(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	return c.records.Identities(ctx, ids)
}

func (c credit) Overviews(ctx context.Context, ids []lending.CustomerID, want lending.Freshness) (map[lending.CustomerID]*service.Overview, error) {
	return c.service.Overviews(ctx, theirs(ctx, ids), want)
}

func (c credit) Profiles(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[lending.Profile], error) {
	return c.service.Profiles(ctx, theirs(ctx, ids), lending.Freshness{})
}

func (c credit) Suppliers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[[]lending.Supplier], error) {
	return c.service.Suppliers(ctx, theirs(ctx, ids))
}
