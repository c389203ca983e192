package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loansQuery asks for loans with all that lists of them take.
const loansQuery = `query Loans($filter: LoanFilter, $orderBy: LoanOrder, $first: Int, $after: String, $last: Int, $before: String) {
  loans(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    totals { currency count principal { minorUnits } outstanding { minorUnits } overdue { minorUnits } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id provider status createdAt updatedAt
      principal { minorUnits currency } outstanding { minorUnits } overdue { minorUnits } customer { id }
    } }
  }
}`

// page is how many loans are asked for at a time: few, so that pages end within equal values.
const page = 7

// allLoans reads a list to its end, forward, page by page.
func (p *program) allLoans(t *testing.T, filter, orderBy map[string]any) (loans []map[string]any, last *answer) {
	t.Helper()
	vars := map[string]any{"filter": filter, "orderBy": orderBy, "first": page}
	for {
		a := p.query(t, loansQuery, vars)
		a.mustBeClean(t, "loans")
		a.want(t, "loans.pageInfo.hasPreviousPage", len(loans) > 0)
		for _, edge := range a.list("loans.edges") {
			loans = append(loans, at(edge, "node").(map[string]any))
		}
		if a.at("loans.pageInfo.hasNextPage") != true {
			return loans, a
		}
		if len(a.list("loans.edges")) != page {
			t.Fatalf("a page of %d that is not the last", len(a.list("loans.edges")))
		}
		vars["after"] = a.at("loans.pageInfo.endCursor")
	}
}

// allLoansBackward is allLoans from the end, in the order of the list.
func (p *program) allLoansBackward(t *testing.T, filter, orderBy map[string]any) (loans []map[string]any) {
	t.Helper()
	vars := map[string]any{"filter": filter, "orderBy": orderBy, "last": page}
	for {
		a := p.query(t, loansQuery, vars)
		a.mustBeClean(t, "loans")
		var before []map[string]any
		for _, edge := range a.list("loans.edges") {
			before = append(before, at(edge, "node").(map[string]any))
		}
		loans = append(before, loans...)
		if a.at("loans.pageInfo.hasPreviousPage") != true {
			return loans
		}
		vars["before"] = a.at("loans.pageInfo.startCursor")
	}
}

func idsOf(loans []map[string]any) []string {
	ids := []string{}
	for _, loan := range loans {
		ids = append(ids, loan["id"].(string))
	}
	return ids
}

func minorAt(loan map[string]any, path string) int64 {
	text, _ := at(loan, path+".minorUnits").(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0 // nothing is told
	}
	return n
}

func TestLoansComeInTheOrderAskedFor(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	for field, key := range map[string]func(loan map[string]any) string{
		"CREATED_AT": func(loan map[string]any) string { return loan["createdAt"].(string) },
		"UPDATED_AT": func(loan map[string]any) string { return loan["updatedAt"].(string) },
		"PRINCIPAL":  func(loan map[string]any) string { return fmt.Sprintf("%020d", minorAt(loan, "principal")) },
	} {
		var lists [][]string
		for _, direction := range []string{"ASC", "DESC"} {
			t.Run(field+" "+direction, func(t *testing.T) {
				orderBy := map[string]any{"field": field, "direction": direction}
				loans, last := p.allLoans(t, nil, orderBy)
				ids := idsOf(loans)
				last.want(t, "loans.totalCount", len(ids))
				if different := slices.Compact(slices.Sorted(slices.Values(ids))); len(different) != len(ids) || len(ids) < 3*page {
					t.Errorf("%d loans, %d different ones", len(ids), len(different))
				}
				for i := 1; i < len(loans); i++ {
					earlier, later := key(loans[i-1]), key(loans[i])
					if direction == "DESC" {
						earlier, later = later, earlier
					}
					if earlier > later {
						t.Errorf("loan %d is out of order: %s, %s", i, key(loans[i-1]), key(loans[i]))
					}
				}
				if diff := cmp.Diff(ids, idsOf(p.allLoansBackward(t, nil, orderBy))); diff != "" {
					t.Errorf("backward is not forward (-forward +backward):\n%s", diff)
				}
				lists = append(lists, ids)
			})
		}
		if len(lists) == 2 {
			slices.Reverse(lists[1])
			if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
				t.Errorf("%s: one direction is not the other turned around:\n%s", field, diff)
			}
		}
	}
}

func TestLoanFiltersAndTotals(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	all, _ := p.allLoans(t, nil, nil)
	middle := slices.Sorted(maps.Keys(groupBy(all, "createdAt")))[len(all)/2]
	customer := p.person(t, 0)
	for _, tc := range []struct {
		name   string
		filter map[string]any
		fits   func(loan map[string]any) bool
	}{
		{"none", nil, func(map[string]any) bool { return true }},
		{"provider", map[string]any{"providers": []string{"CARBON"}}, func(l map[string]any) bool { return l["provider"] == "CARBON" }},
		{"two providers", map[string]any{"providers": []string{"CARBON", "KREDMINT"}}, func(l map[string]any) bool { return l["provider"] != "KREDETE" }},
		{"status", map[string]any{"status": []string{"DISBURSED", "REJECTED"}}, func(l map[string]any) bool { return l["status"] == "DISBURSED" || l["status"] == "REJECTED" }},
		{"customer", map[string]any{"customerId": customer}, func(l map[string]any) bool { return at(l, "customer.id") == customer }},
		{"from a time on", map[string]any{"createdAt": map[string]any{"from": middle}}, func(l map[string]any) bool { return l["createdAt"].(string) >= middle }},
		{"before a time", map[string]any{"createdAt": map[string]any{"to": middle}}, func(l map[string]any) bool { return l["createdAt"].(string) < middle }},
		{"principal", map[string]any{"principal": map[string]any{
			"min": map[string]any{"amount": "200000", "currency": "NGN"}, "max": map[string]any{"amount": "400000.00", "currency": "NGN"},
		}}, func(l map[string]any) bool {
			return at(l, "principal.currency") == "NGN" && minorAt(l, "principal") >= 200_000_00 && minorAt(l, "principal") <= 400_000_00
		}},
		{"overdue", map[string]any{"overdue": true}, func(l map[string]any) bool { return minorAt(l, "overdue") > 0 }},
		{"not overdue", map[string]any{"overdue": false}, func(l map[string]any) bool { return minorAt(l, "overdue") == 0 }},
		{"several", map[string]any{"providers": []string{"KREDETE"}, "status": []string{"ACTIVE"}, "overdue": false}, func(l map[string]any) bool {
			return l["provider"] == "KREDETE" && l["status"] == "ACTIVE" && minorAt(l, "overdue") == 0
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var want []map[string]any
			for _, loan := range all {
				if tc.fits(loan) {
					want = append(want, loan)
				}
			}
			if len(want) == 0 {
				t.Fatal("no loan fits: the test shows nothing")
			}
			got, last := p.allLoans(t, tc.filter, nil)
			if diff := cmp.Diff(idsOf(want), idsOf(got)); diff != "" {
				t.Errorf("loans (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(sumsOf(want), totalsOf(last)); diff != "" {
				t.Errorf("totals (-sums of all pages +got):\n%s", diff)
			}
			last.want(t, "loans.totalCount", len(want))
		})
	}
}

func groupBy(loans []map[string]any, key string) map[string]int {
	groups := map[string]int{}
	for _, loan := range loans {
		groups[loan[key].(string)]++
	}
	return groups
}

// loanSums are sums over loans of one currency, in minor units.
type loanSums struct {
	Count, Principal, Outstanding, Overdue int64
}

func sumsOf(loans []map[string]any) map[string]loanSums {
	sums := map[string]loanSums{}
	for _, loan := range loans {
		currency := at(loan, "principal.currency").(string)
		s := sums[currency]
		s.Count++
		s.Principal += minorAt(loan, "principal")
		s.Outstanding += minorAt(loan, "outstanding")
		s.Overdue += minorAt(loan, "overdue")
		sums[currency] = s
	}
	return sums
}

func totalsOf(a *answer) map[string]loanSums {
	sums := map[string]loanSums{}
	for _, each := range a.list("loans.totals") {
		total := each.(map[string]any)
		count, _ := total["count"].(float64)
		sums[total["currency"].(string)] = loanSums{
			Count: int64(count), Principal: minorAt(total, "principal"),
			Outstanding: minorAt(total, "outstanding"), Overdue: minorAt(total, "overdue"),
		}
	}
	return sums
}

func TestPagesThatCannotBe(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	byTime := map[string]any{"field": "CREATED_AT", "direction": "DESC"}
	cursor := p.query(t, loansQuery, map[string]any{"first": 1, "orderBy": byTime}).at("loans.pageInfo.endCursor")
	for _, tc := range []struct {
		name string
		vars map[string]any
	}{
		{"a cursor of another order", map[string]any{"first": 1, "after": cursor, "orderBy": map[string]any{"field": "PRINCIPAL", "direction": "DESC"}}},
		{"a cursor of the other direction", map[string]any{"first": 1, "after": cursor, "orderBy": map[string]any{"field": "CREATED_AT", "direction": "ASC"}}},
		{"a cursor that is none", map[string]any{"first": 1, "after": "bm9uZQ"}},
		{"too many", map[string]any{"first": 101}},
		{"less than none", map[string]any{"first": -1}},
		{"both ends", map[string]any{"first": 1, "last": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := p.query(t, loansQuery, tc.vars)
			if len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "VALIDATION" || a.at("loans") != nil {
				t.Errorf("got %s, want VALIDATION", a.text)
			}
		})
	}
}
