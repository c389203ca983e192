package world_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nyaruka/phonenumbers"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

var compareAll = cmp.Options{
	cmp.Comparer(func(a, b lending.Money) bool { return a == b }),
	cmpopts.EquateComparable(lending.Date{}), cmpopts.IgnoreUnexported(world.Person{}),
}

func TestSamePersonWheneverAsked(t *testing.T) {
	t.Parallel()
	small, large := world.New(7, 50), world.New(7, world.MaxSize)
	for i := small.Size() - 1; i >= 0; i-- {
		if diff := cmp.Diff(small.Person(i), large.Person(i), compareAll); diff != "" {
			t.Fatalf("person %d depends on the world's size (-50 +100000):\n%s", i, diff)
		}
		if diff := cmp.Diff(small.Loans(i), large.Loans(i), compareAll); diff != "" {
			t.Fatalf("the loans of person %d depend on the world's size:\n%s", i, diff)
		}
	}
	if other := world.New(8, 50).Person(20); other.Phone == small.Person(20).Phone {
		t.Error("another seed made the same phone number")
	}
}

func TestSizeIsKeptInBounds(t *testing.T) {
	t.Parallel()
	for asked, want := range map[int]int{-1: 200, 0: 200, 1: 1, 100_000: 100_000, 100_001: 100_000} {
		if got := world.New(1, asked).Size(); got != want {
			t.Errorf("New(1, %d).Size() = %d, want %d", asked, got, want)
		}
	}
}

func TestNobodySharesAKeyAndLookupsFindTheirPerson(t *testing.T) {
	t.Parallel()
	w := world.New(1, world.MaxSize)
	seen := make(map[string]int, 7*w.Size())
	for i := range w.Size() {
		p := w.Person(i)
		keys := []struct {
			name, value string
			find        func(string) (world.Person, bool)
		}{
			{"Kredete id", p.KredeteID, w.ByKredeteID},
			{"phone", p.Phone, w.ByMobile},
			{"BVN", p.BVN, w.ByBVN},
			{"Carbon id", p.CarbonID, w.ByCarbonID},
			{"customer_ref", p.CustomerRef, w.ByCustomerRef},
			{"Kredmint mobile", p.KredmintMobile, w.ByMobile},
			{"NIN", p.NIN, nil},
			{"e-mail", p.Email, nil},
		}
		for _, key := range keys {
			if key.value == "" {
				continue
			}
			if owner, taken := seen[key.name+key.value]; taken {
				t.Fatalf("%d and %d share the %s %s", owner, i, key.name, key.value)
			}
			seen[key.name+key.value] = i
			if key.find == nil || i%7 != 0 { // every seventh, to save time
				continue
			}
			if found, ok := key.find(key.value); !ok || found.Index != i {
				t.Fatalf("the %s %s of %d leads to %d, %v", key.name, key.value, i, found.Index, ok)
			}
		}
	}
}

func TestKeysHaveTheFormOfTheirCountry(t *testing.T) {
	t.Parallel()
	w := world.New(3, 3000)
	forms := map[string]*regexp.Regexp{
		"bvn": regexp.MustCompile(`^(22\d{9})?$`), "nin": regexp.MustCompile(`^([1-9]\d{10})?$`),
		"mobile": regexp.MustCompile(`^([6-9]\d{9})?$`), "kredete": regexp.MustCompile(`^cust_[0-9A-Za-z]{12}$`),
		"carbon": regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})?$`),
		"mail":   regexp.MustCompile(`^[a-z0-9.]+@example\.(com|org|net)$`),
	}
	for i := range w.Size() {
		p := w.Person(i)
		for name, value := range map[string]string{
			"bvn": p.BVN, "nin": p.NIN, "mobile": p.KredmintMobile, "kredete": p.KredeteID, "carbon": p.CarbonID,
			"mail": p.Email,
		} {
			if !forms[name].MatchString(value) {
				t.Errorf("person %d has the %s %q", i, name, value)
			}
		}
		number, err := phonenumbers.Parse(p.Phone, "")
		if err != nil || !phonenumbers.IsValidNumberForRegion(number, p.Nationality) {
			t.Errorf("person %d of %s has the phone number %q: %v", i, p.Nationality, p.Phone, err)
		}
	}
}

func TestLookupOfNobody(t *testing.T) {
	t.Parallel()
	w := world.New(1, 200)
	for _, id := range []string{
		"", "cust_", "cust_000000000000", "cust_2xK9mN3pQ7vS", "loan_2xK9mN3pQ7vR", "cust_2xK9mN3pQ7v!",
	} {
		if p, ok := w.ByKredeteID(id); ok {
			t.Errorf("ByKredeteID(%q) is %d", id, p.Index)
		}
	}
	for _, id := range []string{"", "not-a-uuid", "1732ca47-42b2-4990-a65d-c369e934eed4", strings.Repeat("-", 36)} {
		if p, ok := w.ByCarbonID(id); ok {
			t.Errorf("ByCarbonID(%q) is %d", id, p.Index)
		}
	}
	for _, bvn := range []string{"", "22", "22366507571", "23370756505", "2237075650a", "223707565050"} {
		if p, ok := w.ByBVN(bvn); ok {
			t.Errorf("ByBVN(%q) is %d", bvn, p.Index)
		}
	}
	for _, number := range []string{"", "+", "12345", "+15551234567", "9981234567"} {
		if p, ok := w.ByMobile(number); ok {
			t.Errorf("ByMobile(%q) is %d", number, p.Index)
		}
	}
	for _, ref := range []string{"", "C-", "C-1000", "C-1201", "C-99999999999999999999", "D-1001", "C-01001"} {
		if p, ok := w.ByCustomerRef(ref); ok {
			t.Errorf("ByCustomerRef(%q) is %d", ref, p.Index)
		}
	}
}

func TestMobileNumbersAreFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	w := world.New(1, 200)
	p := w.Person(0)
	national := strings.TrimPrefix(p.Phone, "+234")
	for _, spelling := range []string{
		p.Phone, "234" + national, "0" + national, national,
		p.KredmintMobile, "+91" + p.KredmintMobile, "91" + p.KredmintMobile,
	} {
		if found, ok := w.ByMobile(spelling); !ok || found.Index != 0 {
			t.Errorf("ByMobile(%q) = %d, %v", spelling, found.Index, ok)
		}
	}
}

func TestTheCastIsThereInEveryWorld(t *testing.T) {
	t.Parallel()
	for seed := range int64(20) {
		w := world.New(seed, 20)
		first := w.Person(0)
		ids := []string{first.KredeteID, first.CarbonID, first.BVN, first.KredmintMobile, first.CustomerRef}
		want := []string{
			"cust_2xK9mN3pQ7vR", "1732ca47-42b2-4990-a65d-c369e934eed3", "22370756505", "9887206895", "C-1001",
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("the showcase has other ids than the seeds' examples:\n%s", diff)
		}
		loans := w.Loans(0)
		if last := loans[len(loans)-1]; last.Status() != lending.LoanActive || last.OverdueAt(w.Epoch()) != 0 {
			t.Errorf("seed %d: the showcase's last loan is %s", seed, last.Status())
		}
		overdue := w.Loans(3)
		if last := overdue[len(overdue)-1]; last.OverdueAt(w.Epoch()) == 0 {
			t.Errorf("seed %d: person 3 has nothing overdue: %+v", seed, last)
		}
		checks := map[string]bool{
			"0 is known to all, with a good score": linkCount(&first) == 5 && first.KredeteScore == 720,
			"1 is known to Kredete alone":          linkCount(new(w.Person(1))) == 1,
			"2 has no bureau record":               w.Person(2).Bureau == world.BureauNone && w.Person(2).BVN != "",
			"4 is Indian, with a credit line":      w.Person(4).Nationality == "IN" && w.Person(4).CreditLine != nil,
			"5 waits for the KYC":                  w.Person(5).KYCStatus == lending.KYCNotStarted,
			"6 is blocked":                         w.Person(6).Status == lending.CustomerBlocked,
			"10 has an unfinished credit line":     w.Person(10).CreditLine.State == lending.LineIncomplete,
		}
		for what, holds := range checks {
			if !holds {
				t.Errorf("seed %d: it does not hold that %s", seed, what)
			}
		}
	}
}

func TestShapeOfTheCrowd(t *testing.T) {
	t.Parallel()
	w := world.New(1, 20_000)
	counts := map[string]int{}
	for i := range w.Size() {
		p := w.Person(i)
		status, kyc := w.Standing(i)
		if p.Status != status || p.KYCStatus != kyc || !p.Linked(lending.Kredete) {
			t.Fatalf("person %d contradicts the world", i)
		}
		for _, provider := range lending.Providers() {
			if w.Linked(i, provider) != p.Linked(provider) {
				t.Fatalf("person %d and the world differ about %s", i, provider)
			}
		}
		counts[p.Nationality]++
		counts[string(p.Status)]++
		counts["links:"+string(rune('0'+linkCount(&p)))]++
		if w.HasHistory(i) {
			counts["history"]++
		}
	}
	bounds := map[string][2]int{ // per cent
		"NG": {72, 78}, "IN": {22, 28}, "ACTIVE": {77, 83}, "PENDING_KYC": {9, 15}, "SUSPENDED": {3, 7},
		"BLOCKED": {2, 4}, "links:5": {13, 17}, "links:1": {10, 25}, "history": {45, 62},
	}
	for what, bound := range bounds {
		if share := counts[what] * 100 / w.Size(); share < bound[0] || share > bound[1] {
			t.Errorf("%s: %d %%, want %d to %d", what, share, bound[0], bound[1])
		}
	}
}

func TestALargeWorldCostsNothingToMake(t *testing.T) {
	t.Parallel()
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			world.New(1, world.MaxSize)
		}
	})
	if got := result.AllocedBytesPerOp(); got > 4096 {
		t.Errorf("New(1, 100000) allocates %d bytes", got)
	}
}

func TestLoansFollowEachOtherInTime(t *testing.T) {
	t.Parallel()
	w := world.New(5, 4000)
	statuses := map[lending.LoanStatus]int{}
	for i := range w.Size() {
		loans := w.Loans(i)
		if w.HasHistory(i) != (len(loans) > 0) && w.Epoch().Sub(w.Person(i).CreatedAt) > 30*24*time.Hour {
			t.Errorf("person %d: history %v, %d loans", i, w.HasHistory(i), len(loans))
		}
		before := w.Person(i).CreatedAt
		for n, loan := range loans {
			statuses[loan.Status()]++
			if loan.Number != n || loan.Index != i {
				t.Fatalf("loan %d of person %d says it is %d of %d", n, i, loan.Number, loan.Index)
			}
			before = inOrder(t, before, w.Epoch(), &loan)
			owner, found, ok := w.LoanByID(loan.ID)
			if !ok || owner.Index != i || found.ID != loan.ID {
				t.Fatalf("%s leads to %d, %v", loan.ID, owner.Index, ok)
			}
			if n < len(loans)-1 && loan.Status() != lending.LoanRepaid && loan.Status() != lending.LoanRejected {
				t.Fatalf("person %d took a loan while %s was %s", i, loan.ID, loan.Status())
			}
		}
	}
	for _, status := range []lending.LoanStatus{
		lending.LoanRepaid, lending.LoanRejected, lending.LoanActive, lending.LoanDisbursed,
	} {
		if statuses[status] == 0 {
			t.Errorf("nobody has a loan that is %s: %v", status, statuses)
		}
	}
}

// inOrder checks that what happened to a loan happened after before, one thing after the other, and until
// the epoch; it is when the last thing happened.
func inOrder(t *testing.T, before, epoch time.Time, loan *world.Loan) time.Time {
	t.Helper()
	steps := []time.Time{loan.CreatedAt, loan.ApprovedAt, loan.RejectedAt, loan.DisbursedAt}
	for _, payment := range loan.Payments {
		steps = append(steps, payment.PaidAt)
	}
	for _, at := range steps {
		if at.IsZero() {
			continue
		}
		if at.Before(before) || at.After(epoch) {
			t.Fatalf("%s: %s is before %s or after the epoch", loan.ID, at, before)
		}
		before = at
	}
	return before
}

func linkCount(p *world.Person) int {
	n := 0
	for _, provider := range lending.Providers() {
		if p.Linked(provider) {
			n++
		}
	}
	return n
}
