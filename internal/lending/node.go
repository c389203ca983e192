package lending

// NodeID is the customer's global id.
func (c *Customer) NodeID() string { return GlobalID(CustomerNode, c.ID) }

// NodeID is the loan's global id.
func (l *Loan) NodeID() string { return GlobalID(LoanNode, l.ID) }

// NodeID is the payment's global id.
func (p *Payment) NodeID() string { return GlobalID(PaymentNode, p.ID) }

// NodeID is the score's global id.
func (s *CreditScore) NodeID() string { return GlobalID(ScoreNode, s.ID) }

// NodeID is the report's global id.
func (r *CreditReport) NodeID() string { return GlobalID(ReportNode, r.ID) }

// NodeID is the supplier's global id, as [SupplierID] has it.
func (s *Supplier) NodeID() string { return SupplierID(s.CustomerID, s.Provider, s.ExternalID) }

// NodeID is the document's global id.
func (d *Document) NodeID() string { return GlobalID(DocumentNode, d.ID) }

// NodeID is the webhook's global id.
func (w *Webhook) NodeID() string { return GlobalID(WebhookNode, w.ID) }

// NodeID is the operation's global id.
func (o *Operation) NodeID() string { return GlobalID(OperationNode, o.ID) }

// NodeID is the event's global id.
func (e *Event) NodeID() string { return GlobalID(EventNode, e.ID) }
