using System.ComponentModel;
using System.Text.Json;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Catalog;

/// <summary>Every model.</summary>
public sealed record AdminListModelsResponse(IReadOnlyList<AdminModel> Rows);

/// <summary>A model with what it costs us and how it does.</summary>
public sealed record AdminModel(
    Guid Id,
    string Name,
    string Category,
    string? Description,
    int CostPerGeneration,
    string Provider,
    string? ProviderModelId,
    bool IsFeatured,
    bool IsAvailable,
    bool IsActive,
    string PricingType,
    int? CreditsPerSecond,
    JsonElement RequiredFields,
    bool HasAudio,
    string? ThumbnailUrl,
    DateTime? SunsetAt,
    Guid? ReplacementModelId,
    decimal? ProviderCost,
    DateTime CreatedAt,
    DateTime? PausedAt,
    string? PausedReason,
    JsonElement ProviderInput,
    decimal? ProviderUnitCost,
    string? OperatorNote,
    Guid? DefaultMovesTo,
    string? Vendor,
    double? UsualSeconds,
    double? SlowSeconds,
    DateTime? SecondsMeasuredAt,
    bool IsOffered,
    int? DefaultPrice
);

/// <summary>A model that is switched on or off.</summary>
public sealed record AdminToggleModelRequest(
    [property: Description("Which model")] Guid ModelId,
    [property: Description("On or off")] bool IsAvailable,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The fields of a model; those that are absent stay as they are.</summary>
public abstract record AdminModelFields : AdminEdit
{
    /// <summary>Which model.</summary>
    [Description("Which model; a new one when absent")]
    public Guid? ModelId { get; init; }

    /// <summary>Its name.</summary>
    [Description("Its name")]
    public string? Name { get; init; }

    /// <summary>What kind it is.</summary>
    [Description("text_to_video, image_to_video or video")]
    public string? Category { get; init; }

    /// <summary>What users read of it.</summary>
    [Description("What users read of it")]
    public string? Description { get; init; }

    /// <summary>Credits of a generation.</summary>
    [Description("Credits of a default generation")]
    public int? CostPerGeneration { get; init; }

    /// <summary>Who makes its videos.</summary>
    [Description("Which provider")]
    public string? Provider { get; init; }

    /// <summary>What the provider calls it.</summary>
    [Description("What the provider calls it")]
    public string? ProviderModelId { get; init; }

    /// <summary>Whether it is shown first.</summary>
    [Description("Whether it is shown first")]
    public bool? IsFeatured { get; init; }

    /// <summary>Whether it is switched on.</summary>
    [Description("On or off")]
    public bool? IsAvailable { get; init; }

    /// <summary>Whether it is the one for themes.</summary>
    [Description("Whether it is the one for requests that name a theme alone")]
    public bool? IsActive { get; init; }

    /// <summary>How it is priced.</summary>
    [Description("per_generation or per_second")]
    public string? PricingType { get; init; }

    /// <summary>Credits of a second.</summary>
    [Description("Credits of a second, when it is priced so")]
    public int? CreditsPerSecond { get; init; }

    /// <summary>Inputs and options.</summary>
    [Description("Its inputs and options")]
    public JsonElement? RequiredFields { get; init; }

    /// <summary>Whether its videos have sound.</summary>
    [Description("Whether its videos have sound")]
    public bool? HasAudio { get; init; }

    /// <summary>Its picture.</summary>
    [Description("Its picture")]
    public string? ThumbnailUrl { get; init; }

    /// <summary>When it ends.</summary>
    [Description("When it is not offered any more")]
    public DateTime? SunsetAt { get; init; }

    /// <summary>What comes after it.</summary>
    [Description("Which model comes after it")]
    public Guid? ReplacementModelId { get; init; }

    /// <summary>What it costs us.</summary>
    [Description("What a generation or second costs us, in dollars")]
    public decimal? ProviderCost { get; init; }

    /// <summary>What a billed unit costs us.</summary>
    [Description("What a billed unit costs us, in dollars")]
    public decimal? ProviderUnitCost { get; init; }

    /// <summary>What the provider calls each setting.</summary>
    [Description("What the provider calls each setting")]
    public JsonElement? ProviderInput { get; init; }

    /// <summary>What operators should know.</summary>
    [Description("What operators should know of it")]
    public string? OperatorNote { get; init; }

    /// <summary>Whose model it is.</summary>
    [Description("Whose model it is, named to users")]
    public string? Vendor { get; init; }
}

/// <summary>A change of a model that is not made.</summary>
public sealed record AdminPreviewModelRequest : AdminModelFields;

/// <summary>A new model, or what changes of one.</summary>
public sealed record AdminSaveModelRequest([property: Description(AdminField.AboutReason)] string Reason) : AdminModelFields;

/// <summary>The model that was saved.</summary>
public sealed record AdminSavedModelResponse(bool Success, Guid ModelId);

/// <summary>What a model would mean to the app, to its provider and to our costs; <c>Fault</c> says why it would be refused.</summary>
public sealed record AdminPreviewModelResponse(
    string? Fault,
    AdminPreviewApp App,
    bool? IsOffered,
    IReadOnlyList<string> Recipients,
    string? Vendor,
    JsonElement Settings,
    string? Provider,
    string? ProviderModelId,
    JsonElement ProviderInput,
    bool RequiresImage,
    IReadOnlyList<AdminPreviewPrice> Prices,
    AdminPreviewCall? ProviderRequest
);

/// <summary>What the app would get of a model.</summary>
public sealed record AdminPreviewApp(
    Guid Id,
    string? Name,
    string? Category,
    string? Description,
    int? CostPerGeneration,
    string? PricingType,
    int? CreditsPerSecond,
    JsonElement RequiredFields,
    bool? HasAudio,
    bool? IsFeatured,
    string? ThumbnailUrl,
    string? Provider,
    DateTime? SunsetAt,
    bool? IsActive
);

/// <summary>What some settings would cost the user, and us in millionths of a dollar.</summary>
public sealed record AdminPreviewPrice(JsonElement Settings, int? Credits, long? CostMicros);

/// <summary>What the provider would be sent.</summary>
public sealed record AdminPreviewCall(string Address, JsonElement Body);

/// <summary>Every theme.</summary>
public sealed record AdminListThemesResponse(IReadOnlyList<AdminTheme> Rows);

/// <summary>A theme.</summary>
public sealed record AdminTheme(
    Guid Id,
    string Name,
    string? Description,
    string? ThumbnailUrl,
    string Prompt,
    bool IsFeatured,
    bool IsAvailable,
    JsonElement DefaultSettings,
    DateTime CreatedAt,
    DateTime? FeaturedUntil,
    JsonElement Translations,
    int Version
);

/// <summary>A new theme, or what changes of one; members that are absent stay as they are.</summary>
public sealed record AdminSaveThemeRequest([property: Description(AdminField.AboutReason)] string Reason) : AdminEdit
{
    /// <summary>Which theme.</summary>
    [Description("Which theme; a new one when absent")]
    public Guid? ThemeId { get; init; }

    /// <summary>Its name.</summary>
    [Description("Its name")]
    public string? Name { get; init; }

    /// <summary>What users read of it.</summary>
    [Description("What users read of it")]
    public string? Description { get; init; }

    /// <summary>Its prompt.</summary>
    [Description("Its prompt")]
    public string? Prompt { get; init; }

    /// <summary>Its settings.</summary>
    [Description("Settings that it begins with")]
    public JsonElement? DefaultSettings { get; init; }

    /// <summary>Its picture.</summary>
    [Description("Its picture")]
    public string? ThumbnailUrl { get; init; }

    /// <summary>Whether it is shown first.</summary>
    [Description("Whether it is shown first")]
    public bool? IsFeatured { get; init; }

    /// <summary>Until when it is shown first.</summary>
    [Description("Until when it is shown first")]
    public DateTime? FeaturedUntil { get; init; }

    /// <summary>Its texts in other languages.</summary>
    [Description("Name, description and prompt by language (tr, es)")]
    public JsonElement? Translations { get; init; }

    /// <summary>Whether it is offered.</summary>
    [Description("On or off")]
    public bool? IsAvailable { get; init; }
}

/// <summary>The theme that was saved.</summary>
public sealed record AdminSavedThemeResponse(bool Success, Guid ThemeId);

/// <summary>Of how many days.</summary>
public sealed record AdminModelMarginsRequest([property: Description("1 to 366")] int? Days = null);

/// <summary>What each model brought and what its provider billed; amounts are millionths of a dollar.</summary>
public sealed record AdminModelMarginsResponse(long CreditMicros, IReadOnlyList<AdminModelMargin> Rows);

/// <summary>A model's margin; the percentage is text with one decimal, and none where nothing was charged.</summary>
public sealed record AdminModelMargin(
    string Provider,
    string ModelName,
    long Jobs,
    long Credits,
    long BilledMicros,
    long ExpectedMicros,
    long BroughtMicros,
    long MarginMicros,
    string? MarginPercent
);
