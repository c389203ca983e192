package world

import "github.com/creditgraph/creditgraph/internal/lending"

// role is what is settled beforehand about one of the first people.
type role struct {
	nation nationality
	links  links
	status lending.CustomerStatus
	kyc    lending.KYCStatus
	bureau BureauRecord
	line   lending.CreditLineState // "" where Kredmint does not know the person
	habit  habit
	days   int // since the person became a customer
}

// castRole is the role of person i; most people have none.
func castRole(i int) (role, bool) {
	const kredete, bureau, kredmint, carbon, onepipe links = 1, 2, 4, 8, 16
	const active, pending = lending.CustomerActive, lending.CustomerPendingKYC
	const verified = lending.KYCVerified
	const lineActive, lineIncomplete = lending.LineActive, lending.LineIncomplete
	const noLine = lending.CreditLineState("")
	cast := [...]role{
		{nigerian, everyProvider, active, verified, BureauClean, lineActive, prompt, 540},
		{nigerian, kredete, active, verified, BureauNone, noLine, noLoans, 300},
		{nigerian, kredete | bureau, active, verified, BureauNone, noLine, noLoans, 250},
		{nigerian, kredete | bureau | carbon, active, verified, BureauOverdue, noLine, defaulting, 500},
		{indian, kredete | kredmint, active, verified, BureauNone, lineActive, prompt, 400},
		{nigerian, kredete | bureau | carbon, pending, lending.KYCNotStarted, BureauThin, noLine, noLoans, 20},
		{nigerian, kredete | bureau, lending.CustomerBlocked, verified, BureauOverdue, noLine, defaulting, 600},
		{nigerian, kredete | onepipe, lending.CustomerSuspended, verified, BureauNone, noLine, tardy, 450},
		{nigerian, kredete | onepipe, pending, lending.KYCFailed, BureauNone, noLine, noLoans, 60},
		{nigerian, kredete | carbon, active, verified, BureauNone, noLine, prompt, 350},
		{indian, kredete | kredmint, pending, lending.KYCInProgress, BureauNone, lineIncomplete, noLoans, 15},
		{nigerian, kredete | bureau | onepipe, active, verified, BureauThin, noLine, noLoans, 120},
		{indian, everyProvider, active, verified, BureauClean, lineActive, tardy, 480},
		{nigerian, everyProvider, active, verified, BureauOverdue, lineActive, defaulting, 520},
		{nigerian, everyProvider, active, verified, BureauNone, lineIncomplete, prompt, 200},
	}
	if i < 0 || i >= len(cast) {
		return role{}, false
	}
	return cast[i], true
}
