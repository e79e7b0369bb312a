using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform;

/// <summary>Checks the attributes of a section's options and names what is wrong by its configuration key.</summary>
public sealed class SectionRules<T>(string section) : IValidateOptions<T>
    where T : class
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, T options) =>
        SectionRules.Check(section, options) is { Count: > 0 } wrong ? ValidateOptionsResult.Fail(wrong) : ValidateOptionsResult.Success;
}

/// <summary>The same for a section whose type is known at run time only.</summary>
public static class SectionRules
{
    /// <summary>What is wrong, one sentence each.</summary>
    public static IReadOnlyList<string> Check(string section, object options)
    {
        var results = new List<ValidationResult>();
        return Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true)
            ? []
            : results.ConvertAll(result => Describe(section, result));
    }

    private static string Describe(string section, ValidationResult result)
    {
        var member = result.MemberNames.FirstOrDefault() ?? "";
        // "The field X must be ..." and "The X field is ..." read better after the key than before it.
        var rest = (result.ErrorMessage ?? "is not valid")
            .Replace($"The field {member} ", "", StringComparison.Ordinal)
            .Replace($"The {member} field ", "", StringComparison.Ordinal)
            .TrimEnd('.');
        return $"{section}:{member} {rest}";
    }
}
