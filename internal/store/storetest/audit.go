package storetest

import (
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// RunAudit tests a store of audit records. open gives an empty one each time it is called.
func RunAudit(t *testing.T, open func(t *testing.T) service.AuditStore) {
	t.Helper()
	for name, run := range map[string]func(t *testing.T, store service.AuditStore){
		"an audit record comes back as it was added":          auditRoundTrip,
		"audit records are found by who, what, when and whom": auditFilters,
		"audit records are paged newest first":                auditPages,
		"an audit record that is there is not added again":    auditTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
}

func auditRoundTrip(t *testing.T, store service.AuditStore) {
	b := &bench{T: t, ctx: t.Context()}
	full := &lending.AuditRecord{
		ID: "full", At: at(2), ClientID: "web", RequestID: "r", Action: lending.AuditMutation, OperationName: "Apply",
		Fields: []string{"Mutation.applyForLoan", "Loan.x"}, CustomerID: "c", ErrorCode: lending.KindConflict,
	}
	bare := &lending.AuditRecord{ID: "bare", At: at(1), Action: lending.AuditLook}
	b.must(store.AppendAudit(b.ctx))
	b.must(store.AppendAudit(b.ctx, bare, full))
	page, err := store.ListAudit(b.ctx, lending.AuditFilter{}, lending.PageRequest{First: 10})
	b.must(err)
	same(b, "records", auditNodes(page), []*lending.AuditRecord{full, bare})
}

func auditNodes(page lending.Page[*lending.AuditRecord]) []*lending.AuditRecord {
	var records []*lending.AuditRecord
	for _, edge := range page.Edges {
		records = append(records, edge.Node)
	}
	return records
}

// auditIDs are the ids of what a filter finds.
func auditIDs(b *bench, store service.AuditStore, filter lending.AuditFilter) string {
	b.Helper()
	page, err := store.ListAudit(b.ctx, filter, lending.PageRequest{First: 10})
	b.must(err)
	ids := ""
	for _, record := range auditNodes(page) {
		ids += record.ID
	}
	return ids
}

func auditFilters(t *testing.T, store service.AuditStore) {
	b := &bench{T: t, ctx: t.Context()}
	b.must(store.AppendAudit(
		b.ctx,
		&lending.AuditRecord{ID: "1", At: at(1), ClientID: "web", RequestID: "r1", Action: lending.AuditLook, CustomerID: "ada"},
		&lending.AuditRecord{ID: "2", At: at(2), ClientID: "app", RequestID: "r2", Action: lending.AuditMutation, CustomerID: "ada"},
		&lending.AuditRecord{ID: "3", At: at(3), ClientID: "web", RequestID: "r3", Action: lending.AuditMutation, CustomerID: "obi"},
	))
	for _, c := range []struct {
		filter lending.AuditFilter
		want   string
	}{
		{lending.AuditFilter{}, "321"},
		{lending.AuditFilter{Actions: []lending.AuditAction{lending.AuditMutation}}, "32"},
		{lending.AuditFilter{ClientID: "web"}, "31"},
		{lending.AuditFilter{RequestID: "r2"}, "2"},
		{lending.AuditFilter{CustomerID: "ada"}, "21"},
		{lending.AuditFilter{At: lending.TimeRange{From: at(2)}}, "32"},
		{lending.AuditFilter{At: lending.TimeRange{To: at(2)}}, "1"},
		{lending.AuditFilter{ClientID: "web", CustomerID: "ada"}, "1"},
		{lending.AuditFilter{ClientID: "none"}, ""},
	} {
		if got := auditIDs(b, store, c.filter); got != c.want {
			t.Errorf("%+v finds %q, want %q", c.filter, got, c.want)
		}
	}
}

func auditPages(t *testing.T, store service.AuditStore) {
	b := &bench{T: t, ctx: t.Context()}
	b.must(store.AppendAudit(
		b.ctx, &lending.AuditRecord{ID: "a", At: at(1)}, &lending.AuditRecord{ID: "b", At: at(1)}, &lending.AuditRecord{ID: "c", At: at(0)},
	))
	got, after := "", ""
	for range 3 {
		page, err := store.ListAudit(b.ctx, lending.AuditFilter{}, lending.PageRequest{First: 1, After: after})
		b.must(err)
		if len(page.Edges) != 1 {
			t.Fatalf("a page of %d", len(page.Edges))
		}
		got, after = got+page.Edges[0].Node.ID, page.Edges[0].Cursor
	}
	if got != "bac" {
		t.Errorf("the order is %s", got)
	}
	_, err := store.ListAudit(b.ctx, lending.AuditFilter{}, lending.PageRequest{First: 1, After: "nonsense"})
	b.wantKind(err, lending.KindValidation)
}

func auditTwice(t *testing.T, store service.AuditStore) {
	b := &bench{T: t, ctx: t.Context()}
	first := &lending.AuditRecord{ID: "1", At: at(1), ClientID: "web"}
	b.must(store.AppendAudit(b.ctx, first))
	b.must(store.AppendAudit(b.ctx, &lending.AuditRecord{ID: "1", At: at(2)}, &lending.AuditRecord{ID: "2", At: at(0)}))
	page, err := store.ListAudit(b.ctx, lending.AuditFilter{}, lending.PageRequest{First: 10})
	b.must(err)
	if records := auditNodes(page); len(records) != 2 || records[0].ClientID != "web" {
		t.Errorf("there are %d records", len(records))
	}
}
