package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
)

var loanStatuses = enum[lending.LoanStatus]{name: "LoanStatus", values: []lending.LoanStatus{
	lending.LoanSubmitting, lending.LoanOutcomeUnknown, lending.LoanPendingReview,
	lending.LoanKYCPending, lending.LoanOffered, lending.LoanOfferAccepted, lending.LoanApproved,
	lending.LoanDisbursing, lending.LoanDisbursed, lending.LoanActive, lending.LoanRepaid,
	lending.LoanRejected, lending.LoanCancelled, lending.LoanExpired, lending.LoanFailed,
	lending.LoanDefaulted, lending.LoanUnknown,
}}

// MarshalLoanStatus writes the enum LoanStatus.
func MarshalLoanStatus(v lending.LoanStatus) graphql.Marshaler { return loanStatuses.marshal(v) }

// UnmarshalLoanStatus reads the enum LoanStatus.
func UnmarshalLoanStatus(v any) (lending.LoanStatus, error) { return loanStatuses.unmarshal(v) }

var loanPurposes = enum[lending.LoanPurpose]{name: "LoanPurpose", values: []lending.LoanPurpose{
	lending.WorkingCapital, lending.ExpansionAndGrowth, lending.EquipmentPurchase, lending.InventoryMgt,
	lending.DebtFinancing, lending.StartupCapital, lending.PurposeOthers, lending.PurposeUnknown,
}}

// MarshalLoanPurpose writes the enum LoanPurpose.
func MarshalLoanPurpose(v lending.LoanPurpose) graphql.Marshaler { return loanPurposes.marshal(v) }

// UnmarshalLoanPurpose reads the enum LoanPurpose.
func UnmarshalLoanPurpose(v any) (lending.LoanPurpose, error) { return loanPurposes.unmarshal(v) }

var tenureUnits = enum[lending.TenureUnit]{name: "TenureUnit", values: []lending.TenureUnit{
	lending.Days, lending.Months, lending.UnitUnknown,
}}

// MarshalTenureUnit writes the enum TenureUnit.
func MarshalTenureUnit(v lending.TenureUnit) graphql.Marshaler { return tenureUnits.marshal(v) }

// UnmarshalTenureUnit reads the enum TenureUnit.
func UnmarshalTenureUnit(v any) (lending.TenureUnit, error) { return tenureUnits.unmarshal(v) }

var loanOrderFields = enum[lending.LoanOrderField]{name: "LoanOrderField", values: []lending.LoanOrderField{
	lending.ByCreatedAt, lending.ByUpdatedAt, lending.ByPrincipal,
}}

// MarshalLoanOrderField writes the enum LoanOrderField.
func MarshalLoanOrderField(v lending.LoanOrderField) graphql.Marshaler {
	return loanOrderFields.marshal(v)
}

// UnmarshalLoanOrderField reads the enum LoanOrderField.
func UnmarshalLoanOrderField(v any) (lending.LoanOrderField, error) {
	return loanOrderFields.unmarshal(v)
}

var orderDirections = enum[model.OrderDirection]{name: "OrderDirection", values: []model.OrderDirection{
	model.Ascending, model.Descending,
}}

// MarshalOrderDirection writes the enum OrderDirection.
func MarshalOrderDirection(v model.OrderDirection) graphql.Marshaler {
	return orderDirections.marshal(v)
}

// UnmarshalOrderDirection reads the enum OrderDirection.
func UnmarshalOrderDirection(v any) (model.OrderDirection, error) {
	return orderDirections.unmarshal(v)
}

var paymentStatuses = enum[lending.PaymentStatus]{name: "PaymentStatus", values: []lending.PaymentStatus{
	lending.PaymentPending, lending.PaymentOutcomeUnknown, lending.PaymentCompleted,
	lending.PaymentFailed, lending.PaymentUnknown,
}}

// MarshalPaymentStatus writes the enum PaymentStatus.
func MarshalPaymentStatus(v lending.PaymentStatus) graphql.Marshaler {
	return paymentStatuses.marshal(v)
}

// UnmarshalPaymentStatus reads the enum PaymentStatus.
func UnmarshalPaymentStatus(v any) (lending.PaymentStatus, error) {
	return paymentStatuses.unmarshal(v)
}

var paymentMethods = enum[lending.PaymentMethod]{name: "PaymentMethod", values: []lending.PaymentMethod{
	lending.BankTransfer, lending.CardPayment, lending.CashPayment, lending.DirectDebit,
	lending.MobileMoney, lending.MethodUnknown,
}}

// MarshalPaymentMethod writes the enum PaymentMethod.
func MarshalPaymentMethod(v lending.PaymentMethod) graphql.Marshaler {
	return paymentMethods.marshal(v)
}

// UnmarshalPaymentMethod reads the enum PaymentMethod.
func UnmarshalPaymentMethod(v any) (lending.PaymentMethod, error) { return paymentMethods.unmarshal(v) }

var creditLineStates = enum[lending.CreditLineState]{name: "CreditLineState", values: []lending.CreditLineState{
	lending.LineIncomplete, lending.LineActive, lending.LineUnknown,
}}

// MarshalCreditLineState writes the enum CreditLineState.
func MarshalCreditLineState(v lending.CreditLineState) graphql.Marshaler {
	return creditLineStates.marshal(v)
}

// UnmarshalCreditLineState reads the enum CreditLineState.
func UnmarshalCreditLineState(v any) (lending.CreditLineState, error) {
	return creditLineStates.unmarshal(v)
}
