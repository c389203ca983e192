package store

import (
	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// operationRow is an operation's columns. Input and result are sealed: they hold what customers sent and
// were answered.
type operationRow struct {
	bun.BaseModel `bun:"table:operations,alias:entry"`

	ID          lending.OperationID `bun:",pk"`
	ClientID    string
	Key         string
	Fingerprint string
	Kind        lending.OperationKind
	Provider    lending.Provider
	Status      lending.OperationStatus
	Step        lending.OperationStep
	CustomerID  lending.CustomerID
	LoanID      lending.LoanID
	Target      string
	EntityID    string
	Reference   string
	Prompt      string
	Failure     string
	Input       []byte
	Result      []byte
	Warnings    string
	Attempts    int
	LeaseOwner  string
	LeaseUntil  int64
	Fence       int64
	NextCheckAt int64
	RequestedAt int64
	SettledAt   int64
	UpdatedAt   int64
	Evidence    []byte
}

// settled are the statuses in which an operation has come to its end.
func settled() []lending.OperationStatus {
	return []lending.OperationStatus{lending.OpSucceeded, lending.OpFailed}
}

func (s *Store) operationListing() listing[operationRow, *lending.Operation] {
	return listing[operationRow, *lending.Operation]{
		what: "operation",
		order: order[operationRow]{
			name: "operations", key: "requested_at", descending: true,
			place: func(r *operationRow) place { return place{r.RequestedAt, string(r.ID)} },
		},
		to: s.toOperation,
	}
}

func inputCell(id lending.OperationID) cell  { return cell{"operations", "input", string(id)} }
func resultCell(id lending.OperationID) cell { return cell{"operations", "result", string(id)} }

// evidenceCell is what an operator typed: it may hold anything.
func evidenceCell(id lending.OperationID) cell { return cell{"operations", "evidence", string(id)} }

func (s *Store) fromOperation(o *lending.Operation) (*operationRow, error) {
	e := encoder{vault: s.vault}
	return &operationRow{
		ID: o.ID, ClientID: o.ClientID, Key: o.Key, Fingerprint: o.Fingerprint, Kind: o.Kind, Provider: o.Provider,
		Status: o.Status, Step: o.Step, CustomerID: o.CustomerID, LoanID: o.LoanID, Target: o.Target,
		EntityID: o.EntityID, Reference: o.Reference, Prompt: o.Prompt, Failure: e.json(o.Failure),
		Input: s.vault.seal(inputCell(o.ID), o.Input), Result: s.vault.seal(resultCell(o.ID), o.Result),
		Warnings: e.json(o.Warnings), Attempts: o.Attempts, LeaseOwner: o.Lease.Owner,
		LeaseUntil: micros(o.Lease.Until), Fence: o.Lease.Fence, NextCheckAt: micros(o.NextCheckAt),
		RequestedAt: micros(o.RequestedAt), SettledAt: micros(o.SettledAt), UpdatedAt: micros(o.UpdatedAt),
		Evidence: s.vault.seal(evidenceCell(o.ID), []byte(o.Evidence)),
	}, e.err
}

func (s *Store) toOperation(r *operationRow) (*lending.Operation, error) {
	d := decoder{vault: s.vault}
	o := &lending.Operation{
		ID: r.ID, ClientID: r.ClientID, Key: r.Key, Fingerprint: r.Fingerprint, Kind: r.Kind, Provider: r.Provider,
		Status: r.Status, Step: r.Step, CustomerID: r.CustomerID, LoanID: r.LoanID, Target: r.Target,
		EntityID: r.EntityID, Reference: r.Reference, Prompt: r.Prompt,
		Input: d.open(inputCell(r.ID), r.Input), Result: d.open(resultCell(r.ID), r.Result), Attempts: r.Attempts,
		Lease:       lending.Lease{Owner: r.LeaseOwner, Until: moment(r.LeaseUntil), Fence: r.Fence},
		NextCheckAt: moment(r.NextCheckAt), RequestedAt: moment(r.RequestedAt), SettledAt: moment(r.SettledAt),
		UpdatedAt: moment(r.UpdatedAt), Evidence: string(d.open(evidenceCell(r.ID), r.Evidence)),
	}
	d.json(r.Failure, &o.Failure)
	d.json(r.Warnings, &o.Warnings)
	return o, d.err
}
