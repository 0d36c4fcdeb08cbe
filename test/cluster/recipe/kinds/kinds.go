// Package kinds keeps what definitions are generated from among the pinned modules.
package kinds

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
