package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The JSON of the three answers, field for field as the shapes in shapes.go ask for them.

type moneyJSON struct {
	Amount     string           `json:"amount"`
	MinorUnits string           `json:"minorUnits,omitempty"`
	Currency   lending.Currency `json:"currency"`
}

type scoreJSON struct {
	ID                    string                `json:"id"`
	Provider              lending.Provider      `json:"provider"`
	Value                 string                `json:"value"`
	Scale                 *scaleJSON            `json:"scale"`
	Normalized            *string               `json:"normalized"`
	Band                  lending.ScoreBand     `json:"band"`
	RiskCategory          *lending.RiskCategory `json:"riskCategory"`
	ProbabilityOfDefault  *string               `json:"probabilityOfDefault"`
	RecommendedLimit      *moneyJSON            `json:"recommendedLimit"`
	RecommendedTenureDays *int                  `json:"recommendedTenureDays"`
	Factors               []lending.ScoreFactor `json:"factors"`
	ScoredAt              *string               `json:"scoredAt"`
	ValidUntil            *string               `json:"validUntil"`
}

type scaleJSON struct {
	Min string `json:"min"`
	Max string `json:"max"`
}

type exposureJSON struct {
	Currency        lending.Currency `json:"currency"`
	ActiveLoanCount int              `json:"activeLoanCount"`
	Outstanding     *moneyJSON       `json:"outstanding"`
	Overdue         *moneyJSON       `json:"overdue"`
}

type creditLineJSON struct {
	Provider    lending.Provider        `json:"provider"`
	State       lending.CreditLineState `json:"state"`
	Limit       *moneyJSON              `json:"limit"`
	Available   *moneyJSON              `json:"available"`
	Outstanding *moneyJSON              `json:"outstanding"`
}

type bureauJSON struct {
	ReportNumber          string     `json:"reportNumber"`
	OrderedOn             *string    `json:"orderedOn"`
	OpenFacilities        *int       `json:"openFacilities"`
	TotalOutstanding      *moneyJSON `json:"totalOutstanding"`
	AmountOverdue         *moneyJSON `json:"amountOverdue"`
	EnquiriesLast12Months *int       `json:"enquiriesLast12Months"`
}

type sourceJSON struct {
	Provider lending.Provider     `json:"provider"`
	Status   lending.SourceStatus `json:"status"`
	AsOf     *string              `json:"asOf"`
	Error    *struct{}            `json:"error"`
}

type summaryJSON struct {
	AsOf        *string          `json:"asOf"`
	BestScore   *scoreJSON       `json:"bestScore"`
	Scores      []scoreJSON      `json:"scores"`
	Exposure    []exposureJSON   `json:"exposure"`
	CreditLines []creditLineJSON `json:"creditLines"`
	Bureau      *bureauJSON      `json:"bureau"`
	Sources     []sourceJSON     `json:"sources"`
}

type loanEdgeJSON struct {
	Node struct {
		ID        string             `json:"id"`
		Provider  lending.Provider   `json:"provider"`
		Status    lending.LoanStatus `json:"status"`
		Principal *moneyJSON         `json:"principal"`
	} `json:"node"`
}

type loansJSON struct {
	Edges []loanEdgeJSON `json:"edges"`
}

// summary is a customer's credit summary.
func (p *plain) summary(ctx context.Context, r *http.Request) (any, error) {
	_, raw, err := lending.ParseGlobalID(r.FormValue("id"))
	if err != nil {
		return nil, err
	}
	id := lending.CustomerID(raw)
	customers, err := p.records.Customers(ctx, []lending.CustomerID{id})
	if err != nil {
		return nil, err
	}
	k, err := p.read(ctx, []lending.CustomerID{id})
	if err != nil {
		return nil, err
	}
	customer := k.shown(customers[id])
	return map[string]any{"customer": map[string]any{
		"id": lending.GlobalID(lending.CustomerNode, id), "fullName": customer.FullName(), "kycStatus": customer.KYCStatus,
		"creditSummary": p.summarize(k, id),
	}}, nil
}

// shown is a customer as the provider's profile has them.
func (k known) shown(customer *lending.Customer) lending.Customer {
	shown := *customer
	if profile, ok := k.profiles[k.identities[customer.ID][lending.Kredete]]; ok {
		v := profile.Value
		shown.FirstName, shown.LastName, shown.Email, shown.Phone = v.FirstName, v.LastName, v.Email, v.Phone
		shown.Status, shown.KYCStatus = v.Status, v.KYCStatus
	}
	return shown
}

func (p *plain) summarize(k known, id lending.CustomerID) summaryJSON {
	now := time.Now().UTC()
	whole := lending.CreditSummary{AsOf: now, Scores: slices.Clone(k.scores[id])}
	slices.SortStableFunc(whole.Scores, func(a, b *lending.CreditScore) int {
		return cmp.Or(cmp.Compare(rank(a, now), rank(b, now)), b.ScoredAt.Compare(a.ScoredAt))
	})
	out := summaryJSON{AsOf: moment(now), Scores: []scoreJSON{}, Exposure: []exposureJSON{}, CreditLines: []creditLineJSON{}}
	if best := whole.BestScore(); best != nil {
		out.BestScore = new(scoreOf(best))
	}
	for _, score := range whole.Scores {
		out.Scores = append(out.Scores, scoreOf(score))
	}
	for _, e := range k.exposures[id] {
		out.Exposure = append(out.Exposure, exposureJSON{e.Currency, e.ActiveLoanCount, money(&e.Outstanding), money(&e.Overdue)})
	}
	if line, ok := k.lines[k.identities[id][lending.Kredmint]]; ok {
		v := line.Value
		out.CreditLines = append(out.CreditLines, creditLineJSON{v.Provider, v.State, money(v.Limit), money(v.Available), money(v.Outstanding)})
	}
	for _, report := range k.reports[id] {
		if b := report.Summarize(); report.Status == lending.ReportReady && b != nil {
			out.Bureau = &bureauJSON{b.ReportNumber, day(b.OrderedOn), b.OpenFacilities, money(b.TotalOutstanding), money(b.AmountOverdue), b.EnquiriesLast12Months}
			break
		}
	}
	for _, name := range lending.Providers() {
		out.Sources = append(out.Sources, k.source(id, name, now))
	}
	return out
}

func rank(s *lending.CreditScore, now time.Time) int {
	if s.ValidAt(now) {
		return 0
	}
	return 1
}

// source says how fresh a provider's part is, for providers that all answer.
func (k known) source(id lending.CustomerID, name lending.Provider, now time.Time) sourceJSON {
	s := sourceJSON{Provider: name, Status: lending.SourceNone}
	externalID, linked := k.identities[id][name]
	if !linked {
		s.Status = lending.SourceNotLinked
		return s
	}
	kept := func(at time.Time, fresh bool) {
		s.AsOf, s.Status = moment(at), lending.SourceCached
		if fresh {
			s.Status = lending.SourceFresh
		}
	}
	switch name {
	case lending.Kredete:
		kept(k.profiles[externalID].AsOf, k.profiles[externalID].fresh)
	case lending.Kredmint:
		kept(k.lines[externalID].AsOf, k.lines[externalID].fresh)
	case lending.TrustDecision:
		for _, report := range k.reports[id] {
			if report.Status == lending.ReportReady {
				kept(report.ReceivedAt, false)
			}
		}
	case lending.Carbon:
		if at, ok := k.activity[id][name]; ok {
			kept(at, false)
		}
	case lending.OnePipe:
		for _, score := range k.scores[id] {
			if score.Provider == name && score.ValidAt(now) {
				kept(score.ScoredAt, false)
			}
		}
	}
	if s.Status == lending.SourceNone && slices.ContainsFunc(k.open[id], func(op *lending.Operation) bool { return op.Provider == name }) {
		s.Status = lending.SourcePending
	}
	return s
}

// table is a page of customers with their summaries and their first loans.
func (p *plain) table(ctx context.Context, r *http.Request) (any, error) {
	page, err := p.records.ListCustomers(ctx, lending.CustomerFilter{}, lending.PageRequest{First: tableRows, After: r.FormValue("after")})
	if err != nil {
		return nil, err
	}
	total, err := p.records.CountCustomers(ctx, lending.CustomerFilter{})
	if err != nil {
		return nil, err
	}
	ids := idsOf(page)
	k, err := p.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	loans, err := p.records.LoansOf(ctx, ids, lending.PageRequest{First: tableLoans})
	if err != nil {
		return nil, err
	}
	edges := []map[string]any{}
	for _, edge := range page.Edges {
		c := k.shown(edge.Node)
		s := p.summarize(k, c.ID)
		sources := make([]map[string]any, len(s.Sources))
		for i, source := range s.Sources {
			sources[i] = map[string]any{"provider": source.Provider, "status": source.Status}
		}
		exposure := []map[string]any{}
		for _, e := range s.Exposure {
			exposure = append(exposure, map[string]any{
				"currency": e.Currency, "activeLoanCount": e.ActiveLoanCount, "outstanding": whole(e.Outstanding), "overdue": whole(e.Overdue),
			})
		}
		var best map[string]any
		if s.BestScore != nil {
			best = map[string]any{
				"provider": s.BestScore.Provider, "value": s.BestScore.Value, "normalized": s.BestScore.Normalized, "band": s.BestScore.Band,
			}
		}
		edges = append(edges, map[string]any{"cursor": edge.Cursor, "node": map[string]any{
			"id": lending.GlobalID(lending.CustomerNode, c.ID), "fullName": c.FullName(), "email": hidden(c.Email), "phone": hidden(c.Phone),
			"status": c.Status, "kycStatus": c.KYCStatus, "createdAt": moment(c.CreatedAt),
			"creditSummary": map[string]any{"bestScore": best, "exposure": exposure, "sources": sources},
			"loans":         loansOf(loans[c.ID]),
		}})
	}
	return map[string]any{"customers": map[string]any{"totalCount": total, "pageInfo": info(page), "edges": edges}}, nil
}

// page is a thousand loans: ten each of a hundred customers.
func (p *plain) page(ctx context.Context, r *http.Request) (any, error) {
	page, err := p.records.ListCustomers(ctx, lending.CustomerFilter{}, lending.PageRequest{First: pageCustomers, After: r.FormValue("after")})
	if err != nil {
		return nil, err
	}
	loans, err := p.records.LoansOf(ctx, idsOf(page), lending.PageRequest{First: pageLoans})
	if err != nil {
		return nil, err
	}
	edges := []map[string]any{}
	for _, edge := range page.Edges {
		edges = append(edges, map[string]any{"node": map[string]any{
			"id": lending.GlobalID(lending.CustomerNode, edge.Node.ID), "loans": loansOf(loans[edge.Node.ID]),
		}})
	}
	return map[string]any{"customers": map[string]any{"edges": edges}}, nil
}

func idsOf(page lending.Page[*lending.Customer]) []lending.CustomerID {
	ids := make([]lending.CustomerID, len(page.Edges))
	for i, edge := range page.Edges {
		ids[i] = edge.Node.ID
	}
	return ids
}

func info(page lending.Page[*lending.Customer]) map[string]any {
	return map[string]any{
		"hasNextPage": page.HasNext, "hasPreviousPage": page.HasPrevious,
		"startCursor": page.Edges[0].Cursor, "endCursor": page.Edges[len(page.Edges)-1].Cursor,
	}
}

func loansOf(page lending.Page[*lending.Loan]) loansJSON {
	out := loansJSON{Edges: make([]loanEdgeJSON, len(page.Edges))}
	for i, edge := range page.Edges {
		l := edge.Node
		node := &out.Edges[i].Node
		node.ID, node.Provider, node.Status = lending.GlobalID(lending.LoanNode, l.ID), l.Provider, l.Status
		node.Principal = whole(money(&l.Principal))
	}
	return out
}

func scoreOf(s *lending.CreditScore) scoreJSON {
	out := scoreJSON{
		ID: lending.GlobalID(lending.ScoreNode, s.ID), Provider: s.Provider, Value: s.Value.String(), Normalized: text(s.Normalized), Band: s.Band,
		ProbabilityOfDefault: text(s.ProbabilityOfDefault), RecommendedLimit: money(s.RecommendedLimit), RecommendedTenureDays: s.RecommendedDays(),
		Factors: s.Factors, ScoredAt: moment(s.ScoredAt), ValidUntil: moment(s.ValidUntil),
	}
	if s.RiskCategory != "" {
		out.RiskCategory = &s.RiskCategory
	}
	if s.Scale != nil {
		out.Scale = &scaleJSON{s.Scale.Min.String(), s.Scale.Max.String()}
	}
	return out
}

func money(m *lending.Money) *moneyJSON {
	if m == nil {
		return nil
	}
	return &moneyJSON{m.Amount(), m.MinorUnits(), m.Currency()}
}

// whole is an amount without its minor units, for shapes that do not ask for them.
func whole(m *moneyJSON) *moneyJSON { return &moneyJSON{Amount: m.Amount, Currency: m.Currency} }

func text(d *lending.Decimal) *string {
	if d == nil {
		return nil
	}
	return new(d.String())
}

func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

func day(d lending.Date) *string {
	if d.IsZero() {
		return nil
	}
	return new(d.String())
}

// hidden masks what the token of the run may not see: the end of a number stays, or the ends of an address.
func hidden(personal string) string {
	if name, domain, found := strings.Cut(personal, "@"); found {
		return name[:1] + "***@" + domain
	}
	const keep = 4
	return strings.Repeat("*", max(0, len(personal)-keep)) + personal[max(0, len(personal)-keep):]
}
