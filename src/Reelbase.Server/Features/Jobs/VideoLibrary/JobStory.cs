using Microsoft.Extensions.Localization;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>Why a job failed and what became of the money, in one sentence for support.</summary>
public static class JobStory
{
    /// <summary>The sentence; null while the job has not failed.</summary>
    public static string? Describe(IStringLocalizer texts, AdminJobDetailsResponse data)
    {
        var job = data.Job;
        if (job.Status != "failed")
        {
            return null;
        }
        var last = data.Submissions.Count > 0 ? data.Submissions[^1] : null;
        var provider = job.Provider;
        var why = job.ErrorCode switch
        {
            ErrorCodes.ConsentNeeded => texts["The user took their consent back before it was sent."],
            ErrorCodes.NotAtThisAge => texts["The policy for the declared age no longer allowed it before it was sent."],
            _ when job.DeletedAt is not null => texts["The user deleted it."],
            _ when job.CancelRequestedAt is not null => texts["It was cancelled."],
            ErrorCodes.InternalError => texts["It was given up, as nothing was recorded of it however often it was claimed."],
            ErrorCodes.ContentRejected => texts["{0} refused the content.", provider],
            ErrorCodes.InputRefused when last is not null => texts["{0} refused the input.", provider],
            ErrorCodes.InputRefused => texts["Its picture was gone before it was sent."],
            ErrorCodes.ProviderUnavailable when last is null || last.Outcome == "refused" => texts[
                "It expired in the queue of {0} without having been accepted there.",
                provider
            ],
            _ when last?.Outcome == "ambiguous" || (job.ErrorCode == ErrorCodes.ProviderTimeout && last is { ProviderJobId: null }) => texts[
                "Nobody knows whether {0} got it: no answer and no webhook came until its deadline.",
                provider
            ],
            ErrorCodes.ProviderTimeout => texts["{0} took longer than its deadline.", provider],
            _ => texts["{0} failed.", provider],
        };
        var (charged, returned) = (job.CreditsCharged, job.CreditsReturned);
        var money =
            job.IsAtOurCost ? texts["Nothing was charged for it."]
            : charged == 0 ? texts["Nothing was charged for it."]
            : returned >= charged ? texts["All {0} credits were given back.", charged]
            : returned > 0 ? texts["{0} of {1} credits were given back.", returned, charged]
            : texts["None of its {0} credits were given back.", charged];
        return $"{why.Value} {money.Value}";
    }
}
