package service

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Transactor runs a function in one database transaction. The transaction travels in the context: every
// store method called with that context takes part in it. A nested call joins the outer transaction.
type Transactor interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
}

// CustomerStore keeps customers.
type CustomerStore interface {
	// Customers gives those of the ids that exist.
	Customers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error)
	// ListCustomers lists newest first.
	ListCustomers(ctx context.Context, filter lending.CustomerFilter, page lending.PageRequest) (lending.Page[*lending.Customer], error)
	CountCustomers(ctx context.Context, filter lending.CustomerFilter) (int, error)
	// SaveCustomer inserts or replaces by id.
	SaveCustomer(ctx context.Context, customer *lending.Customer) error
	// ImportCustomers takes over customers that a provider listed, with their identity there, in a few
	// statements for all. A customer whose identity is known is updated where the provider's fields
	// changed; it tells how many are new.
	ImportCustomers(ctx context.Context, provider lending.Provider, customers []ImportedCustomer) (added int, err error)
}

// ImportedCustomer is a customer as a provider listed them. Customer.ID is the id to use when the
// identity is not known yet.
type ImportedCustomer struct {
	lending.Private
	Customer   lending.Customer
	ExternalID string
}

// IdentityStore keeps who customers are at the providers.
type IdentityStore interface {
	Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error)
	// CustomerByIdentity finds a customer; NOT_FOUND when nobody has that identity.
	CustomerByIdentity(ctx context.Context, provider lending.Provider, externalID string) (lending.CustomerID, error)
	// Link adds an identity, or replaces the customer's one at that provider. CONFLICT when it belongs to
	// another customer.
	Link(ctx context.Context, identity lending.Identity) error
}

// LoanStore keeps loans. What it returns has Paid, Outstanding and Overdue filled as of its clock's day.
type LoanStore interface {
	Loans(ctx context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error)
	// LoanByExternalID and LoanByReference find one loan; NOT_FOUND when there is none.
	LoanByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.Loan, error)
	LoanByReference(ctx context.Context, provider lending.Provider, customer lending.CustomerID, reference string) (*lending.Loan, error)
	// SaveLoan inserts or replaces by id, with the loan's schedule. CONFLICT when its external id, or its
	// reference for the customer, belongs to another loan.
	SaveLoan(ctx context.Context, loan *lending.Loan) error
}

// LoanLister answers questions over many loans.
type LoanLister interface {
	ListLoans(ctx context.Context, filter lending.LoanFilter, order lending.LoanOrder, page lending.PageRequest) (lending.Page[*lending.Loan], error)
	CountLoans(ctx context.Context, filter lending.LoanFilter) (int, error)
	// LoanTotals sums over all that the filter matches, one entry for each currency, by currency.
	LoanTotals(ctx context.Context, filter lending.LoanFilter) ([]lending.LoanTotals, error)
	// LoansOf gives a page of each customer's loans, newest first, in one statement.
	LoansOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Loan], error)
	CountLoansOf(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]int, error)
	// LoanActivity tells when each customer's loans at each provider last changed, in one statement.
	LoanActivity(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]map[lending.Provider]time.Time, error)
	// Exposures sums what each customer owes, in one statement, by currency.
	Exposures(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Exposure, error)
}

// PaymentStore keeps payments. Pages are newest first.
type PaymentStore interface {
	Payments(ctx context.Context, ids []lending.PaymentID) (map[lending.PaymentID]*lending.Payment, error)
	PaymentByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.Payment, error)
	PaymentByReference(ctx context.Context, loan lending.LoanID, reference string) (*lending.Payment, error)
	PaymentsOfLoans(ctx context.Context, loans []lending.LoanID, page lending.PageRequest) (map[lending.LoanID]lending.Page[*lending.Payment], error)
	PaymentsOfCustomers(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Payment], error)
	// SavePayment inserts or replaces by id and brings the loan's paid amount up to date. CONFLICT when
	// its external id, or its reference for the loan, belongs to another payment.
	SavePayment(ctx context.Context, payment *lending.Payment) error
}

// ScoreStore keeps credit scores. Pages are newest first.
type ScoreStore interface {
	Scores(ctx context.Context, ids []lending.ScoreID) (map[lending.ScoreID]*lending.CreditScore, error)
	// LatestScores gives each customer's newest score of each provider, in one statement.
	LatestScores(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.CreditScore, error)
	ScoresOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditScore], error)
	// SaveScore inserts or replaces by id. CONFLICT when its external id belongs to another score.
	SaveScore(ctx context.Context, score *lending.CreditScore) error
}

// ReportStore keeps credit reports. Pages are newest first.
type ReportStore interface {
	Reports(ctx context.Context, ids []lending.ReportID) (map[lending.ReportID]*lending.CreditReport, error)
	// LatestReports gives each customer's newest report and, where that is not READY, the newest READY one
	// after it, in one statement.
	LatestReports(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.CreditReport, error)
	ReportsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditReport], error)
	ReportByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.CreditReport, error)
	// WaitingReports lists reports that are still waited for, have the bureau's id and were ordered before a
	// time, oldest first, from behind after; from the oldest where after is nil.
	WaitingReports(ctx context.Context, provider lending.Provider, orderedBefore time.Time, after *lending.CreditReport, limit int) ([]*lending.CreditReport, error)
	SaveReport(ctx context.Context, report *lending.CreditReport) error
}

// OperationStore keeps the operation log. An operation's Input, Result and Evidence are encrypted at rest.
type OperationStore interface {
	// BeginOperation inserts an operation, or finds the one that has its client and key: created tells
	// which. CONFLICT when another operation that is not settled has its target, or another one that did
	// not fail its provider, kind and reference.
	BeginOperation(ctx context.Context, operation *lending.Operation) (stored *lending.Operation, created bool, err error)
	Operations(ctx context.Context, ids []lending.OperationID) (map[lending.OperationID]*lending.Operation, error)
	// OperationByReference finds one; NOT_FOUND when there is none.
	OperationByReference(ctx context.Context, provider lending.Provider, kind lending.OperationKind, reference string) (*lending.Operation, error)
	// OperationByKey finds a client's operation by its idempotency key; NOT_FOUND when there is none.
	OperationByKey(ctx context.Context, clientID, key string) (*lending.Operation, error)
	// UpdateOperation replaces the operation if its stored fence is operation.Lease.Fence; otherwise it
	// changes nothing and gives [ErrLeaseLost].
	UpdateOperation(ctx context.Context, operation *lending.Operation) error
	// TakeOperation is UpdateOperation by a new holder of the lease: the stored fence, and
	// operation.Lease.Fence with it, grows by one.
	TakeOperation(ctx context.Context, operation *lending.Operation) error
	// ClaimOperations leases up to limit operations that are not settled, whose lease has run out and whose
	// NextCheckAt has come, to owner; each gets the next fence.
	ClaimOperations(ctx context.Context, owner string, now, until time.Time, limit int) ([]*lending.Operation, error)
}

// OperationLister answers questions over many operations.
type OperationLister interface {
	// OpenOperations gives each customer's operations that are not settled, in one statement.
	OpenOperations(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.Operation, error)
	// ListOperations lists newest first.
	ListOperations(ctx context.Context, filter lending.OperationFilter, page lending.PageRequest) (lending.Page[*lending.Operation], error)
}

// ErrLeaseLost says that somebody else has taken over an operation or a delivery. Nothing was changed.
var ErrLeaseLost = &lending.Error{
	Kind: lending.KindConflict, Outcome: lending.NotExecuted,
	Message: "Another process has taken this over.",
}

// EventStore keeps the event log. Its sequence numbers have no gaps: deleted is only the log's beginning, and
// whoever reads on from a place in it gets all that follows, or CURSOR_EXPIRED when some of that was deleted.
// VALIDATION when the log never reached that place: it is one of another database.
type EventStore interface {
	// AppendEvents adds events in the order given and sets their Sequence. It is the last step of a
	// transaction: from it to the commit, other appends wait, so that no reader sees a later sequence
	// number before an earlier one. The transaction cannot go on after its error.
	AppendEvents(ctx context.Context, events ...*lending.Event) error
	Events(ctx context.Context, ids []lending.EventID) (map[lending.EventID]*lending.Event, error)
	// ListEvents lists in the order of the log. The cursor that it goes on from is checked as told above.
	ListEvents(ctx context.Context, filter lending.EventFilter, page lending.PageRequest) (lending.Page[*lending.Event], error)
	// EventsOf gives a page of each customer's events, in the order of the log, in one statement; one more
	// checks the cursor.
	EventsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Event], error)
	// EventsAfter gives up to limit events behind a sequence number, whatever they are: the very next ones, or
	// an error as told above, never some with others left out. From LastSequence on it does not expire unless
	// the reader falls behind by the whole retention.
	EventsAfter(ctx context.Context, sequence int64, limit int) ([]*lending.Event, error)
	// LastSequence is the sequence number of the newest event, 0 when there is none.
	LastSequence(ctx context.Context) (int64, error)
	// PruneEvents deletes the oldest events, at most limit, as long as they were received before a time: none
	// that is younger, and none that has a kept event before it. Fewer than limit: there are no more of them.
	PruneEvents(ctx context.Context, before time.Time, limit int) (n int, err error)
}

// InboxStore keeps webhooks from their receipt until they are applied.
type InboxStore interface {
	// PutDelivery stores a delivery. It is false when one with the same provider and dedupe key is there
	// already. CONFLICT when its nonce is known with another dedupe key.
	PutDelivery(ctx context.Context, delivery *Delivery) (added bool, err error)
	// ClaimDeliveries leases up to limit deliveries that are due, in the order of receipt.
	ClaimDeliveries(ctx context.Context, now, until time.Time, limit int) ([]*Delivery, error)
	// SettleDelivery writes down what became of a delivery that was claimed until claim, and not what was
	// received. ErrLeaseLost when it is not claimed so any more: somebody else was faster. The transaction cannot go on after its error.
	SettleDelivery(ctx context.Context, delivery *Delivery, claim time.Time) error
	// SettleHeld does so for a delivery that was held. ErrLeaseLost when it is not held any more.
	SettleHeld(ctx context.Context, delivery *Delivery) error
	// HeldDeliveries gives those that are held until a provider's loan is known, in the order of receipt.
	HeldDeliveries(ctx context.Context, provider lending.Provider, loanExternalID string) ([]*Delivery, error)
	// NewestDeliveries is when the newest delivery of each provider was received; those that never sent any are not
	// among them.
	NewestDeliveries(ctx context.Context) (map[lending.Provider]time.Time, error)
}

// Delivery is one webhook as it was received.
type Delivery struct {
	lending.Private
	ID         string
	Provider   lending.Provider
	DedupeKey  string
	Nonce      string
	Body       []byte // as it came; encrypted at rest
	ReceivedAt time.Time
	State      DeliveryState
	Attempts   int
	NextTryAt  time.Time
	LastError  string // without anything of the body
	Awaits     string // of a HELD one: the provider's id of the loan that it tells of
	UpdatedAt  time.Time
}

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryReceived DeliveryState = "RECEIVED"
	DeliveryApplied  DeliveryState = "APPLIED"
	DeliveryHeld     DeliveryState = "HELD"      // it is an event; what it tells is applied once its loan is known
	DeliverySetAside DeliveryState = "SET_ASIDE" // it failed too often; somebody has to look
)

// RegistryStore keeps documents and webhook registrations.
type RegistryStore interface {
	Documents(ctx context.Context, ids []lending.DocumentID) (map[lending.DocumentID]*lending.Document, error)
	SaveDocument(ctx context.Context, document *lending.Document) error
	Webhooks(ctx context.Context, ids []lending.WebhookID) (map[lending.WebhookID]*lending.Webhook, error)
	SaveWebhook(ctx context.Context, webhook *lending.Webhook) error
}

// RecordSealer seals personal values that an earlier version kept in the clear, or still does while both run.
type RecordSealer interface {
	// SealRecords seals what there is now, and tells of how many customers. Any number of replicas may do so at once.
	SealRecords(ctx context.Context) (sealed int, err error)
}

// Store is all of what the service keeps.
type Store interface {
	Transactor
	CustomerStore
	IdentityStore
	LoanStore
	LoanLister
	PaymentStore
	ScoreStore
	ReportStore
	OperationStore
	OperationLister
	EventStore
	InboxStore
	RegistryStore
	RecordSealer
}
