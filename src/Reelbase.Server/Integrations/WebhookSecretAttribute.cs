using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations;

/// <summary>A secret of the Standard Webhooks convention, or several: anything else could not sign, which is better known at start than at the first event.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WebhookSecretAttribute : ValidationAttribute
{
    public WebhookSecretAttribute()
        : base("The field {0} must be base64, with or without whsec_ before it") { }

    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value switch
        {
            string one => IsSecret(one),
            IEnumerable<string> several => several.All(IsSecret),
            _ => true,
        };

    private static bool IsSecret(string text) => Base64.IsValid(text.StartsWith("whsec_", StringComparison.Ordinal) ? text[6..] : text);
}
