package trustdecision

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestFacilitiesAreSummedByProduct(t *testing.T) {
	t.Parallel()
	on := lending.NewDate(2026, 4, 17)
	all := []facility{
		{
			product: "term loan", institution: microLenders, opened: on.AddMonths(-6), sanctioned: 100_000_00,
			outstanding: 50_000_00, overdue: 1_000_00, lastOverdue: lending.NewDate(2026, 3, 31),
		},
		{product: "overdraft", institution: banks, opened: on.AddMonths(-6).AddDays(-1), sanctioned: 5_000_000_00},
		{
			product: "term loan", institution: banks, opened: on.AddMonths(-20), sanctioned: 55_000_00,
			outstanding: 89_691_00, overdue: 89_691_00, lastOverdue: lending.NewDate(2026, 4, 2),
		},
	}
	want := []facilityRow{
		{
			Currency: "ngn", Product: "term loan", LastOverdue: "02-apr-2026", SixMonths: "1", Accounts: "2",
			Overdue: "90,691", Sanctioned: "155,000", Outstanding: "139,691",
		},
		{
			Currency: "ngn", Product: "overdraft", LastOverdue: "na", SixMonths: "0", Accounts: "1",
			Overdue: "0", Sanctioned: "5,000,000", Outstanding: "0",
		},
	}
	if diff := cmp.Diff(want, facilityRows(all, on)); diff != "" {
		t.Error(diff)
	}
}

// As in the seed, the counts reach back twelve months and the history further.
func TestEnquiriesAreCountedForAYear(t *testing.T) {
	t.Parallel()
	on := lending.NewDate(2026, 4, 17)
	all := []enquiry{
		{"overdraft", microLenders, on.AddDays(-1)},
		{"overdraft", otherLenders, on.AddMonths(-12)},
		{"term loan", microLenders, on.AddMonths(-12).AddDays(-1)},
	}
	want := []productRow{
		{Other: "1", Total: "2", Product: "overdraft", Bank: "0", NonBank: "0", Mortgage: "0", Micro: "1"},
		{Other: "1", Total: "2", Product: "total", Bank: "0", NonBank: "0", Mortgage: "0", Micro: "1"},
	}
	if diff := cmp.Diff(want, productRows(all, on)); diff != "" {
		t.Error(diff)
	}
	if got := len(historyRows(all)); got != 3 {
		t.Errorf("%d rows of history", got)
	}
}
