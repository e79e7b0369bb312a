using Microsoft.Extensions.Localization;

namespace Reelbase.Server.Features.Operations.Statistics;

/// <summary>What somebody has to see to, in words, and where it is done: the list that opens the console.</summary>
public static class Attention
{
    /// <summary>One sentence.</summary>
    public static string Describe(IStringLocalizer texts, AdminAttention item)
    {
        var (count, subject) = (item.Count, item.Subject ?? "");
        return item.Kind switch
        {
            "purchases_unowned" => texts["{0} purchases have no owner: somebody paid and has no credits.", count],
            "purchases_waiting" => texts["{0} purchases wait for a product that is not in the list.", count],
            "dead_work" => texts["{0} messages or tasks were given up after their attempts.", count],
            "queue_starving" => texts["The queue of {0} starves: {1} jobs wait and all of its places are held.", subject, count],
            "ledger_remark" => texts["The ledger's check has a remark about user {0}.", subject],
            "balance_below_zero" => texts["User {0} has {1} credits.", subject, count],
            "consents_expired" => texts["{0} users agreed to an earlier version of ai_processing and are asked again.", count],
            _ => item.Kind,
        };
    }

    /// <summary>What the link says.</summary>
    public static string Action(IStringLocalizer texts, AdminAttention item) =>
        item.Kind switch
        {
            "purchases_unowned" => texts["Give them to their owners"],
            "purchases_waiting" => texts["Add the product"],
            "dead_work" => texts["See why, and retry"],
            "queue_starving" => texts["See the job that has held its place longest"],
            "consents_expired" => texts["See the versions"],
            _ => texts["Open the user"],
        };

    /// <summary>Where it is done.</summary>
    public static string Address(AdminAttention item) =>
        item.Kind switch
        {
            "purchases_unowned" => "admin/products?state=unowned",
            "purchases_waiting" => "admin/products?state=waiting",
            "dead_work" => "admin/system",
            "queue_starving" => $"admin/jobs/{item.Target}",
            "consents_expired" => "admin/consent-terms",
            _ => $"admin/users/{item.Target}",
        };
}
