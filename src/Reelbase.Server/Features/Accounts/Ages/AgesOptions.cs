using System.ComponentModel.DataAnnotations;
using Reelbase.Server.Platform;

namespace Reelbase.Server.Features.Accounts.Ages;

/// <summary>Section <c>Ages</c>: what accounts may do by the age band that was declared for them.</summary>
public sealed class AgesOptions : IValidatableObject
{
    /// <summary>From the youngest, and what holds of each when nothing is said.</summary>
    private static readonly (string Band, string Policy)[] Defaults = [("under_13", "guardian"), ("13_15", "allow"), ("16_17", "allow"), ("18_plus", "allow")];

    /// <summary>By band (<c>under_13</c>, <c>13_15</c>, <c>16_17</c>, <c>18_plus</c>): <c>allow</c>, <c>guardian</c> (no videos before a guardian has agreed) or <c>block</c>. What is not named: <c>guardian</c> under 13, else <c>allow</c>.</summary>
    public Dictionary<string, string> Policy { get; set; } = [];

    /// <summary>What holds of every band.</summary>
    public IReadOnlyDictionary<string, string> Policies() =>
        Defaults.ToDictionary(
            known => known.Band,
            known => Policy.FirstOrDefault(given => given.Key.Equals(known.Band, StringComparison.OrdinalIgnoreCase)).Value ?? known.Policy
        );

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (band, policy) in Policy)
        {
            var bands = Defaults.Select(known => known.Band).ToList();
            if (!bands.Contains(band, StringComparer.OrdinalIgnoreCase))
            {
                yield return new($"is no age band{SettingNames.Hint(band, bands, "Ages:Policy:")}", [$"{nameof(Policy)}:{band}"]);
            }
            else if (policy is not ("block" or "guardian" or "allow"))
            {
                yield return new("must be block, guardian or allow", [$"{nameof(Policy)}:{band}"]);
            }
        }
    }
}
