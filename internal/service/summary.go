package service

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// Overview is what a customer's page needs of the providers and the records at once: the summary, and
// the profile that was read for it.
type Overview struct {
	Summary *lending.CreditSummary
	// Profile is the provider's profile of the customer; without a Value where there is none.
	Profile lending.Fetched[lending.Profile]
	// RecordsErr is why what our own records know is missing from the summary: scores, exposure and bureau are
	// nil then. It is nil where they could be read.
	RecordsErr *lending.Error
}

// records is what the database knows of many customers' credit.
type records struct {
	exposures  map[lending.CustomerID][]lending.Exposure
	scores     map[lending.CustomerID][]*lending.CreditScore
	reports    map[lending.CustomerID][]*lending.CreditReport
	activity   map[lending.CustomerID]map[lending.Provider]time.Time
	operations map[lending.CustomerID][]*lending.Operation
	err        *lending.Error // why there is none of it
}

// answers is what the providers said of many customers, by customer.
type answers struct {
	profiles    map[lending.CustomerID]lending.Fetched[lending.Profile]
	creditLines map[lending.CustomerID]lending.Fetched[lending.CreditLine]
}

// Overviews summarises many customers at once: the same few statements and one batch of reads at each
// provider, however many there are. It answers within the read deadline; what a provider did not deliver
// by then is missing from its section alone and told in Sources, and so is what our own records hold while
// they cannot be reached. It is an error that they fail otherwise, or that nobody knows who the customers are
// at the providers.
func (s *Service) Overviews(ctx context.Context, ids []lending.CustomerID, want lending.Freshness) (map[lending.CustomerID]*Overview, error) {
	began := s.now()
	identities, err := s.identitiesByProvider(ctx, ids)
	if err != nil {
		return nil, err
	}
	var known records
	var told answers
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		known, err = s.records(groupCtx, ids)
		if kind := lending.KindOf(err); kind == lending.KindUnavailable || kind == lending.KindTimeout {
			known, err = records{err: lending.AsError(err)}, nil
		}
		return err
	})
	group.Go(func() error {
		told = s.ask(ctx, identities, want)
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	overviews := make(map[lending.CustomerID]*Overview, len(ids))
	for _, id := range ids {
		overviews[id] = s.overview(id, began, identities[id], known, told)
	}
	return overviews, nil
}

// identitiesByProvider is who each customer is at each provider.
func (s *Service) identitiesByProvider(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]map[lending.Provider]string, error) {
	rows, err := s.links.Identities(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[lending.CustomerID]map[lending.Provider]string, len(rows))
	for id, list := range rows {
		out[id] = make(map[lending.Provider]string, len(list))
		for _, identity := range list {
			out[id][identity.Provider] = identity.ExternalID
		}
	}
	return out, nil
}

// records reads what the database knows: one statement for each kind.
func (s *Service) records(ctx context.Context, ids []lending.CustomerID) (r records, err error) {
	for _, read := range []func() error{
		func() (err error) { r.exposures, err = s.store.Exposures(ctx, ids); return err },
		func() (err error) { r.scores, err = s.store.LatestScores(ctx, ids); return err },
		func() (err error) { r.reports, err = s.store.LatestReports(ctx, ids); return err },
		func() (err error) { r.activity, err = s.store.LoanActivity(ctx, ids); return err },
		func() (err error) { r.operations, err = s.store.OpenOperations(ctx, ids); return err },
	} {
		if err := read(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// ask reads profiles and credit lines, both at the same time and each in one batch.
func (s *Service) ask(ctx context.Context, identities map[lending.CustomerID]map[lending.Provider]string, want lending.Freshness) answers {
	ctx, cancel := provider.WithinBudget(ctx, s.settings.ReadDeadline)
	defer cancel()
	var told answers
	var group errgroup.Group
	group.Go(func() error {
		told.profiles = readLinked(ctx, s, lending.Kredete, s.readers.Profiles, identities, want)
		return nil
	})
	group.Go(func() error {
		told.creditLines = readLinked(ctx, s, lending.Kredmint, s.readers.CreditLines, identities, want)
		return nil
	})
	_ = group.Wait() // neither fails: each answer carries its own error
	return told
}

// readLinked asks one provider for all customers who are linked there.
func readLinked[V any](ctx context.Context, s *Service, name lending.Provider, reader Reader[V], identities map[lending.CustomerID]map[lending.Provider]string, want lending.Freshness) map[lending.CustomerID]lending.Fetched[V] {
	out := map[lending.CustomerID]lending.Fetched[V]{}
	var owners []lending.CustomerID
	var keys []string
	for id, linked := range identities {
		if key, ok := linked[name]; ok {
			owners, keys = append(owners, id), append(keys, key)
		}
	}
	if _, err := s.Provider(name); err != nil || reader == nil {
		for _, id := range owners {
			out[id] = lending.Fetched[V]{Status: lending.SourceUnavailable, Err: err}
		}
		return out
	}
	if len(keys) == 0 {
		return out
	}
	for i, answer := range reader.Read(ctx, keys, want) {
		out[owners[i]] = answer
	}
	return out
}

// overview puts one customer's summary together.
func (s *Service) overview(id lending.CustomerID, began time.Time, linked map[lending.Provider]string, known records, told answers) *Overview {
	summary := &lending.CreditSummary{
		CustomerID: id, AsOf: began, Bureau: newestReady(known.reports[id]).Summarize(),
		// Nothing owed, no score and no line are empty lists: null would say that nobody could tell.
		Scores:      append([]*lending.CreditScore{}, known.scores[id]...),
		Exposure:    append([]lending.Exposure{}, known.exposures[id]...),
		CreditLines: []*lending.CreditLine{},
	}
	slices.SortStableFunc(summary.Scores, func(a, b *lending.CreditScore) int {
		if v, w := a.ValidAt(began), b.ValidAt(began); v != w {
			if v {
				return -1
			}
			return 1
		}
		return b.ScoredAt.Compare(a.ScoredAt)
	})
	if line := told.creditLines[id]; line.Status == lending.SourceUnavailable {
		summary.CreditLines = nil
	} else if line.Has() {
		summary.CreditLines = append(summary.CreditLines, s.withSignUp(line.Value, linked[lending.Kredmint]))
	}
	if known.err != nil {
		summary.Scores, summary.Exposure = nil, nil
	}
	for _, name := range lending.Providers() {
		summary.Sources = append(summary.Sources, s.source(name, id, began, linked, known, told))
	}
	return &Overview{Summary: summary, Profile: told.profiles[id], RecordsErr: known.err}
}

// withSignUp adds the address where the customer draws on the line. It is built here, after the cache,
// because it carries our token at the provider.
func (s *Service) withSignUp(line lending.CreditLine, username string) *lending.CreditLine {
	if p := s.providers[line.Provider]; p != nil && p.SignUp != nil && line.ApplyURL == "" {
		line.ApplyURL = p.SignUp.SignUpURL(username)
	}
	return &line
}

// source says what became of one provider's part.
func (s *Service) source(name lending.Provider, id lending.CustomerID, began time.Time, linked map[lending.Provider]string, known records, told answers) lending.Source {
	source := lending.Source{Provider: name, Status: lending.SourceNotLinked}
	if _, ok := linked[name]; !ok {
		return source
	}
	switch name {
	case lending.Kredete:
		return asked(source, told.profiles[id], began)
	case lending.Kredmint:
		return asked(source, told.creditLines[id], began)
	}
	if known.err != nil {
		source.Status, source.Failure = lending.SourceUnavailable, lending.FailureOf(known.err)
		return source
	}
	source.Status = lending.SourceNone
	switch name {
	case lending.TrustDecision:
		source = s.reportSource(source, known.reports[id], began)
	case lending.OnePipe:
		for _, score := range known.scores[id] {
			if score.Provider == name {
				source.Status, source.AsOf = lending.SourceCached, score.ScoredAt
				if !score.ValidAt(began) {
					source.Status = lending.SourceStale
				}
			}
		}
	case lending.Carbon:
		if at, ok := known.activity[id][name]; ok {
			source.Status, source.AsOf = lending.SourceCached, at
		}
	}
	for _, op := range known.operations[id] {
		if op.Provider == name && source.Status == lending.SourceNone {
			source.Status, source.AsOf = lending.SourcePending, op.RequestedAt
		}
	}
	return s.outage(source)
}

// asked is the source of an answer that was read just now or came from the cache. What was fetched since
// the request began counts as fresh, whoever fetched it.
func asked[V any](source lending.Source, answer lending.Fetched[V], began time.Time) lending.Source {
	source.Status, source.AsOf = answer.Status, answer.AsOf
	if source.Status == lending.SourceCached && !answer.AsOf.Before(began) {
		source.Status = lending.SourceFresh
	}
	if answer.Err != nil && answer.Status != lending.SourceNone {
		source.Err = lending.AsError(answer.Err)
		source.Failure = lending.FailureOf(answer.Err)
	}
	return source
}

// reportSource is the source of a stored report.
func (s *Service) reportSource(source lending.Source, reports []*lending.CreditReport, began time.Time) lending.Source {
	if ready := newestReady(reports); ready != nil {
		source.Status, source.AsOf = lending.SourceCached, ready.ReceivedAt
		if began.Sub(ready.ReceivedAt) > s.settings.ReportMaxAge {
			source.Status = lending.SourceStale
		}
		return source
	}
	if len(reports) == 0 {
		return source
	}
	switch newest := reports[0]; {
	case newest.Status.Waiting():
		source.Status, source.AsOf = lending.SourcePending, newest.OrderedAt
	case newest.Status == lending.ReportNoRecord:
		source.AsOf = newest.ReceivedAt
	default:
		source.Status, source.AsOf, source.Failure = lending.SourceUnavailable, newest.OrderedAt, newest.Failure
	}
	return source
}

// outage marks a part that rests on records alone when its provider is known to be down: what there is
// cannot be renewed now.
func (s *Service) outage(source lending.Source) lending.Source {
	err := s.health.Outage(source.Provider)
	if _, disabled := s.Provider(source.Provider); disabled != nil {
		err = lending.AsError(disabled)
	}
	if err == nil {
		return source
	}
	switch source.Status {
	case lending.SourceCached:
		source.Status = lending.SourceStale
	case lending.SourceNone:
		source.Status = lending.SourceUnavailable
	}
	source.Err, source.Failure = err, lending.FailureOf(err)
	return source
}

// newestReady is the newest READY report; nil where there is none.
func newestReady(reports []*lending.CreditReport) *lending.CreditReport {
	for _, report := range reports {
		if report.Status == lending.ReportReady {
			return report
		}
	}
	return nil
}

// Profiles reads the providers' profiles of customers, in one batch, within the read deadline.
func (s *Service) Profiles(ctx context.Context, ids []lending.CustomerID, want lending.Freshness) (map[lending.CustomerID]lending.Fetched[lending.Profile], error) {
	identities, err := s.identitiesByProvider(ctx, ids)
	if err != nil {
		return nil, err
	}
	ctx, cancel := provider.WithinBudget(ctx, s.settings.ReadDeadline)
	defer cancel()
	return readLinked(ctx, s, lending.Kredete, s.readers.Profiles, identities, want), nil
}

// Suppliers lists the suppliers of customers, in one batch, within the read deadline. A customer who has no
// account where suppliers are kept is NOT_LINKED.
func (s *Service) Suppliers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[[]lending.Supplier], error) {
	identities, err := s.identitiesByProvider(ctx, ids)
	if err != nil {
		return nil, err
	}
	ctx, cancel := provider.WithinBudget(ctx, s.settings.ReadDeadline)
	defer cancel()
	found := readLinked(ctx, s, lending.Kredmint, s.readers.Suppliers, identities, lending.Freshness{})
	for _, id := range ids {
		answer, linked := found[id]
		if !linked {
			found[id] = lending.Fetched[[]lending.Supplier]{Status: lending.SourceNotLinked}
			continue
		}
		answer.Value = slices.Clone(answer.Value)
		for i := range answer.Value {
			answer.Value[i].CustomerID = id
		}
		found[id] = answer
	}
	return found, nil
}
