using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Accounts;

/// <summary>Section <c>Consent</c>: whether prompts and pictures go to AI providers only with the user's consent (App Review 5.1.2(i)).</summary>
public sealed class ConsentOptions
{
    /// <summary>auto (on in a new installation in Production; off in Development and where jobs were accepted before), required, or off. What auto has decided in Production stays.</summary>
    [AllowedValues("auto", "required", "off")]
    public string Ai { get; set; } = "auto";

    /// <summary>Until this moment builds under the switch for shipped builds, which cannot ask, need no consent. Absent: as another node has said, or they need it as everybody; a past moment ends it.</summary>
    public DateTimeOffset? ShippedBuildsExemptUntil { get; set; }
}
