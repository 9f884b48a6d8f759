// The words for reasons in the page's language and time.
import { useI18n } from "vue-i18n";
import { formatClock, formatCount } from "../../platform/format/index.ts";
import { usePreferences } from "../../platform/preferences.ts";
import type { ReasonWords } from "./prepare-reason.ts";

export function useReasonWords(): ReasonWords {
  const { t } = useI18n();
  const preferences = usePreferences();
  return {
    t: (key, values, plural) => (plural === undefined ? t(key, values) : t(key, values, plural)),
    clock: (time) => formatClock(time, preferences.locale),
    count: formatCount,
  };
}
