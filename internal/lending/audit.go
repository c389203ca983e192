package lending

import "time"

// AuditAction is what an audit record is about.
type AuditAction string

// The audit actions.
const (
	AuditLook     AuditAction = "LOOK"     // personal data was shown in full
	AuditMutation AuditAction = "MUTATION" // a mutation was run, or refused for want of a scope
	AuditUnknown  AuditAction = "UNKNOWN"
)

// AuditRecord says who saw or did what. It holds no personal data.
type AuditRecord struct {
	ID            string // ids made later sort later
	At            time.Time
	ClientID      string // whose token it was
	RequestID     string
	Action        AuditAction
	OperationName string     // of the GraphQL operation; "" where it has none
	Fields        []string   // what was shown or run: "Customer.phone", "Mutation.applyForLoan"
	CustomerID    CustomerID // whom it concerned; "" for nobody
	ErrorCode     ErrorKind  // what a mutation failed with; "" for nothing
}

// AuditFilter narrows a list of audit records. Each empty field does not narrow.
type AuditFilter struct {
	Actions    []AuditAction
	ClientID   string
	RequestID  string
	CustomerID CustomerID
	At         TimeRange
}

// Customer is the global id of the customer whom it concerned; "" for nobody.
func (r *AuditRecord) Customer() string {
	if r.CustomerID == "" {
		return ""
	}
	return GlobalID(CustomerNode, r.CustomerID)
}
