using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Moderation;

/// <summary>Section <c>Moderation</c>: what may not be asked for.</summary>
public sealed class ModerationOptions
{
    /// <summary>Words and phrases that a prompt may not contain.</summary>
    [MaxLength(10_000)]
    public string[] Blocklist { get; set; } = [];

    /// <summary>A service that is asked about every prompt, in the form of OpenAI's moderation endpoint.</summary>
    [Url]
    public string? ServiceUrl { get; set; }

    /// <summary>Its key, sent as a bearer token.</summary>
    public string? ServiceKey { get; set; }

    /// <summary>Seconds that it has for its answer.</summary>
    [Range(0.1, 30)]
    public double TimeoutSeconds { get; set; } = 3;

    /// <summary>Seconds that fetching a picture from a foreign address may take before the service checks it.</summary>
    [Range(1, 60)]
    public double PictureTimeoutSeconds { get; set; } = 10;

    /// <summary>What happens when it does not answer: refuse (an error, nothing is charged) or allow.</summary>
    [RegularExpression("^(refuse|allow)$", ErrorMessage = "must be refuse or allow")]
    public string WhenUnreachable { get; set; } = "refuse";
}
