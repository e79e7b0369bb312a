namespace Reelbase.Tests.Support;

/// <summary>Ids of the seeded catalogue.</summary>
public static class Catalog
{
    /// <summary>Veo 3.1 Fast: 4, 6 or 8 seconds at one credit each, 8 by default.</summary>
    public const string FastModel = "a0000000-0000-4000-8000-000000000001";

    /// <summary>Needs an image.</summary>
    public const string ImageModel = "a0000000-0000-4000-8000-000000000004";

    /// <summary>Kept, but no longer offered.</summary>
    public const string SoraModel = "a0000000-0000-4000-8000-000000000008";

    /// <summary>Paper boat: eight seconds.</summary>
    public const string BoatTheme = "5a000000-0000-4000-8000-000000000001";
}
