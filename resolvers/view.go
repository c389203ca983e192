package resolvers

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/graph/scalar"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/service"
)

// profileFields are the fields of a customer that the providers know better than our records.
var profileFields = map[string]bool{
	"firstName": true, "lastName": true, "fullName": true, "email": true, "phone": true, "status": true,
	"providerStatus": true, "kycStatus": true,
}

// view gives customers as the query asks for them, with one round of reads for all of them, and for all
// fields of the query that ask for customers at the same time: where it selects summaries those are made
// now, profile and all; where it selects what a profile tells, profiles are read.
func (r *Resolver) view(ctx context.Context, customers []*lending.Customer) ([]*lending.Customer, error) {
	asked, err := lookAhead(ctx)
	if err != nil || len(customers) == 0 {
		return customers, err
	}
	profiles := make(map[lending.CustomerID]lending.Fetched[lending.Profile], len(customers))
	for _, want := range asked.summaries {
		keys := make([]loader.SummaryKey, len(customers))
		for i, c := range customers {
			keys[i] = loader.NewSummaryKey(c.ID, want)
		}
		overviews, errs := loader.From(ctx).Overviews.LoadAll(ctx, keys)
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		for i, overview := range overviews {
			profiles[customers[i].ID] = overview.Profile
		}
	}
	if asked.suppliers {
		// Begun now, so that they and the profiles are waited for together: the field's own resolver finds them.
		go loader.From(ctx).Suppliers.LoadAll(ctx, idsOf(customers))
	}
	if len(asked.summaries) == 0 && asked.profile {
		ids := idsOf(customers)
		found, errs := loader.From(ctx).Profiles.LoadAll(ctx, ids)
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		for i, profile := range found {
			profiles[ids[i]] = profile
		}
		tellProfiles(ctx, found)
	}
	views := r.service.View(customers, profiles)
	for _, v := range views {
		loader.From(ctx).Customers.Prime(v.ID, v)
	}
	return views, nil
}

func idsOf(customers []*lending.Customer) []lending.CustomerID {
	ids := make([]lending.CustomerID, len(customers))
	for i, c := range customers {
		ids[i] = c.ID
	}
	return ids
}

// tellProfiles makes one error of the request of all profiles that could not be read: the customers are shown
// as our records have them.
func tellProfiles(ctx context.Context, profiles []lending.Fetched[lending.Profile]) {
	for _, profile := range profiles {
		if profile.Err != nil && profile.Status != lending.SourceNone {
			graphql.AddError(ctx, profile.Err)
			return
		}
	}
}

// asked is what a query selects of customers, as far as it takes reads at providers.
type asked struct {
	summaries []lending.Freshness // one for each different freshness
	profile   bool
	suppliers bool
}

// lookAhead reads what is selected below the present field, which is a customer or a connection of them.
func lookAhead(ctx context.Context) (asked, error) {
	op := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFieldsCtx(ctx, []string{"Customer", "CustomerConnection", "Node"})
	for _, path := range []string{"edges", "node"} {
		for _, field := range fields {
			if field.Name == path {
				fields = graphql.CollectFields(op, field.Selections, []string{"Customer", "CustomerEdge", "Node"})
				break
			}
		}
	}
	var a asked
	for _, field := range fields {
		a.profile = a.profile || profileFields[field.Name]
		a.suppliers = a.suppliers || field.Name == "suppliers"
		if field.Name != "creditSummary" {
			continue
		}
		want, err := freshnessOf(field.ArgumentMap(op.Variables)["freshness"])
		if err != nil {
			return asked{}, err
		}
		if !containsFreshness(a.summaries, want) {
			a.summaries = append(a.summaries, want)
		}
	}
	return a, nil
}

// freshnessOf reads the argument as the field's own resolver will.
func freshnessOf(argument any) (lending.Freshness, error) {
	values, ok := argument.(map[string]any)
	if !ok {
		return lending.Freshness{}, nil
	}
	var in model.FreshnessInput
	if text, ok := values["maxAge"]; ok && text != nil {
		age, err := scalar.UnmarshalDuration(text)
		if err != nil {
			return lending.Freshness{}, err
		}
		in.MaxAge = &age
	}
	if allow, ok := values["allowStale"].(bool); ok {
		in.AllowStale = &allow
	}
	return in.Domain(), nil
}

func containsFreshness(all []lending.Freshness, want lending.Freshness) bool {
	for _, have := range all {
		if loader.NewSummaryKey("", have) == loader.NewSummaryKey("", want) {
			return true
		}
	}
	return false
}

// tellSources makes an error of the request of each provider's part that failed, and of our own records' where
// they could not be read, so that a client that looks at errors alone learns of it as well. The answer stays.
func tellSources(ctx context.Context, overview *service.Overview) {
	for _, source := range overview.Summary.Sources {
		if source.Err != nil {
			graphql.AddError(ctx, source.Err)
		}
	}
	if overview.RecordsErr != nil {
		graphql.AddError(ctx, overview.RecordsErr)
	}
}
