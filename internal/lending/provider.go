package lending

// Provider names one of the credit providers behind the graph.
type Provider string

// The providers, in the order in which they are listed to people.
const (
	Kredete       Provider = "KREDETE"
	TrustDecision Provider = "TRUST_DECISION"
	Kredmint      Provider = "KREDMINT"
	Carbon        Provider = "CARBON"
	OnePipe       Provider = "ONE_PIPE"
	// ProviderUnknown stands for a name that is none of the above.
	ProviderUnknown Provider = "UNKNOWN"
)

// Providers lists every provider, in display order.
func Providers() []Provider {
	return []Provider{Kredete, TrustDecision, Kredmint, Carbon, OnePipe}
}

// Valid reports whether p is one of [Providers].
func (p Provider) Valid() bool { return p.Title() != "" }

// Title is the provider's name as people write it, "" for an unknown one.
func (p Provider) Title() string {
	switch p {
	case Kredete:
		return "Kredete"
	case TrustDecision:
		return "TrustDecision"
	case Kredmint:
		return "Kredmint"
	case Carbon:
		return "Carbon"
	case OnePipe:
		return "OnePipe"
	}
	return ""
}

// Slug is the provider's name in paths, settings and metrics: lower case, no separator.
func (p Provider) Slug() string {
	switch p {
	case Kredete:
		return "kredete"
	case TrustDecision:
		return "trustdecision"
	case Kredmint:
		return "kredmint"
	case Carbon:
		return "carbon"
	case OnePipe:
		return "onepipe"
	}
	return "unknown"
}

// Capability is one thing that a provider can be asked to do.
type Capability string

// What providers offer. The graph shows these on Provider.capabilities.
const (
	CanReadProfiles     Capability = "CUSTOMER_PROFILES"
	CanCreateCustomers  Capability = "CUSTOMER_CREATION"
	CanReadCreditLines  Capability = "CREDIT_LINES"
	CanApplyForLoans    Capability = "LOAN_APPLICATIONS"
	CanDecideLoans      Capability = "LOAN_DECISIONS"
	CanRecordPayments   Capability = "PAYMENTS"
	CanScore            Capability = "CREDIT_SCORES"
	CanConfirmScores    Capability = "CREDIT_SCORE_CONFIRMATION"
	CanReport           Capability = "CREDIT_REPORTS"
	CanManageSuppliers  Capability = "SUPPLIERS"
	CanPayInvoices      Capability = "INVOICE_PAYMENTS"
	CanStoreDocuments   Capability = "DOCUMENTS"
	CanRegisterWebhooks Capability = "WEBHOOK_REGISTRATION"
	CanSendWebhooks     Capability = "WEBHOOKS"
	CapabilityUnknown   Capability = "UNKNOWN"
)

// Valid reports whether c is a known capability.
func (c Capability) Valid() bool {
	switch c {
	case CanReadProfiles, CanCreateCustomers, CanReadCreditLines, CanApplyForLoans, CanDecideLoans,
		CanRecordPayments, CanScore, CanConfirmScores, CanReport, CanManageSuppliers, CanPayInvoices,
		CanStoreDocuments, CanRegisterWebhooks, CanSendWebhooks:
		return true
	}
	return false
}
