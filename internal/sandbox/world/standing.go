package world

import "github.com/creditgraph/creditgraph/internal/lending"

// BureauRecord is what the credit bureau has on a person.
type BureauRecord string

// The kinds of bureau records.
const (
	BureauNone    BureauRecord = "none"    // the bureau does not know the person
	BureauThin    BureauRecord = "thin"    // a few enquiries, no facility
	BureauClean   BureauRecord = "clean"   // facilities, nothing overdue
	BureauOverdue BureauRecord = "overdue" // facilities, some of them overdue
)

// CreditLine is a person's limit at Kredmint, in INR. Used is what is drawn; both are 0 while the state is
// incomplete.
type CreditLine struct {
	State  lending.CreditLineState
	UserID string // "USR-2233"
	Limit  lending.Money
	Used   lending.Money
}

func (w *World) bureau(i int) BureauRecord {
	if role, ok := castRole(i); ok {
		return role.bureau
	}
	d := w.roll(i, aspectBureau)
	switch kind := d.below(100); {
	case kind < 15:
		return BureauNone
	case kind < 35:
		return BureauThin
	case kind < 80:
		return BureauClean
	}
	return BureauOverdue
}

// score is Kredete's, from 300 to 850. It goes with what the bureau knows.
func (w *World) score(i int) int {
	if i == 0 {
		return 720 // seed 000, Request Credit Score
	}
	d := w.roll(i, aspectScore)
	switch w.bureau(i) {
	case BureauClean:
		return d.between(660, 850)
	case BureauThin:
		return d.between(500, 650)
	case BureauOverdue:
		return d.between(300, 579)
	}
	return d.between(450, 620)
}

// onePipeScore is the place of a Kredete score on OnePipe's scale from 0 to 10, rounded.
func onePipeScore(kredete int) int { return ((kredete-300)*10 + 275) / 550 }

func (w *World) creditLine(i int) *CreditLine {
	d := w.roll(i, aspectLine)
	line := &CreditLine{
		State: lending.LineActive, UserID: userID(i),
		Limit: lending.NewMoney(0, lending.INR), Used: lending.NewMoney(0, lending.INR),
	}
	if d.chance(25) {
		line.State = lending.LineIncomplete
	}
	if role, ok := castRole(i); ok {
		line.State = role.line
	}
	if line.State != lending.LineActive {
		return line
	}
	thousands := 25 * d.between(2, 40)
	if i == 0 {
		thousands = 500
	}
	limit := int64(thousands) * 1000 * 100
	line.Limit = lending.NewMoney(limit, lending.INR)
	line.Used = lending.NewMoney(limit/100*int64(d.below(90)), lending.INR)
	return line
}
