using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Accounts;

/// <summary>Texts that users are asked to agree to, the newest first, and who gets data today.</summary>
public sealed record AdminListConsentTermsResponse(string? AiState, IReadOnlyList<string> AiRecipients, IReadOnlyList<AdminConsentTerms> Rows);

/// <summary>A version of a text, by language.</summary>
public sealed record AdminConsentTerms(
    string Kind,
    string Version,
    IReadOnlyDictionary<string, string> Texts,
    IReadOnlyList<string> Recipients,
    DateTime PublishedAt
);

/// <summary>A version that is published.</summary>
public sealed record AdminPublishConsentTermsRequest(
    [property: Description("terms, ai_processing or consumption_data")] string Kind,
    [property: Description("1 to 50 characters, new for its kind")] string Version,
    [property: Description("By language (en, tr, es), English at least; {recipients} stands for the list")] IReadOnlyDictionary<string, string> Texts,
    [property: Description(AdminField.AboutReason)] string Reason,
    [property: Description("Who gets data beside the configured providers: vendors behind a gateway")] IReadOnlyList<string>? Recipients = null
);
