package resolvers

import (
	"context"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/service"
)

// viewer is who asks, and what they have left of their plan after this request.
func (r *Resolver) viewer(ctx context.Context) *model.Viewer {
	p := auth.From(ctx)
	if p == nil {
		return &model.Viewer{}
	}
	v := &model.Viewer{ClientID: p.ClientID}
	for _, scope := range p.Scopes {
		v.Scopes = append(v.Scopes, string(scope))
	}
	if r.limits == nil {
		return v
	}
	left := r.limits.Look(ctx, p.ClientID, p.Plan)
	if v.Plan = left.Plan; left.Limited {
		v.RateLimit = &service.RateLimit{Limit: left.Limit, Remaining: left.Remaining, ResetsAt: left.ResetsAt}
	}
	return v
}
