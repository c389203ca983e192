// What the summary pane asks the graph.

const score = `
  id provider value scale { min max assumed } normalized band providerBand riskCategory providerRisk probabilityOfDefault
  recommendedLimit { amount currency } recommendedTenureDays factors { factor impact description } scoredAt validUntil`;

/** summaryDocument asks for one customer's summary. */
export const summaryDocument = `query SummaryPicture($id: ID!) {
  customer(id: $id) {
    id fullName kycStatus
    creditSummary {
      asOf
      bestScore { id }
      scores { ${score} }
      exposure { currency activeLoanCount outstanding { amount currency } overdue { amount currency } }
      creditLines {
        provider state providerState applyUrl
        limit { amount currency } available { amount currency } outstanding { amount currency }
      }
      bureau {
        reportNumber orderedOn openFacilities enquiriesLast12Months
        totalOutstanding { amount currency } amountOverdue { amount currency }
      }
      sources { provider status asOf error { code message retryable } }
    }
  }
}`;

/** searchDocument finds customers by what somebody types. */
export const searchDocument = `query SummaryPictureSearch($search: String!) {
  customers(first: 8, filter: { search: $search }) { edges { node { id fullName kycStatus } } }
}`;
