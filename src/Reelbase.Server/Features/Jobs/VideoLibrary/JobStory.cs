using System.Text.Json.Nodes;
using Microsoft.Extensions.Localization;
using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>Why a job failed and what became of the money, in one sentence for support.</summary>
public static class JobStory
{
    /// <summary>The sentence; null while the job has not failed.</summary>
    public static string? Describe(IStringLocalizer texts, JsonNode? data)
    {
        if (data?["job"] is not { } job || job.Text("status") != "failed")
        {
            return null;
        }
        var submissions = data.Items("submissions");
        var last = submissions.Count > 0 ? submissions[^1] : null;
        var provider = job.Text("provider");
        var why = job.Text("error_code") switch
        {
            ErrorCodes.ConsentNeeded => texts["The user took their consent back before it was sent."],
            ErrorCodes.NotAtThisAge => texts["The policy for the declared age no longer allowed it before it was sent."],
            _ when job.Has("deleted_at") => texts["The user deleted it."],
            _ when job.Has("cancel_requested_at") => texts["It was cancelled."],
            ErrorCodes.InternalError => texts["It was given up, as nothing was recorded of it however often it was claimed."],
            ErrorCodes.ContentRejected => texts["{0} refused the content.", provider],
            ErrorCodes.InputRefused when last is not null => texts["{0} refused the input.", provider],
            ErrorCodes.InputRefused => texts["Its picture was gone before it was sent."],
            ErrorCodes.ProviderUnavailable when last is null || last.Text("outcome") == "refused" => texts[
                "It expired in the queue of {0} without having been accepted there.",
                provider
            ],
            _ when last?.Text("outcome") == "ambiguous"
                    || (job.Text("error_code") == ErrorCodes.ProviderTimeout && last is not null && !last.Has("provider_job_id")) => texts[
                "Nobody knows whether {0} got it: no answer and no webhook came until its deadline.",
                provider
            ],
            ErrorCodes.ProviderTimeout => texts["{0} took longer than its deadline.", provider],
            _ => texts["{0} failed.", provider],
        };
        var (charged, returned) = (job.Number("credits_charged"), job.Number("credits_returned"));
        var money =
            job["paid_by_house"]?.GetValue<bool>() == true ? texts["Nothing was charged for it."]
            : charged == 0 ? texts["Nothing was charged for it."]
            : returned >= charged ? texts["All {0} credits were given back.", charged]
            : returned > 0 ? texts["{0} of {1} credits were given back.", returned, charged]
            : texts["None of its {0} credits were given back.", charged];
        return $"{why.Value} {money.Value}";
    }
}
