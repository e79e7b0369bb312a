using Microsoft.AspNetCore.Components;

namespace Reelbase.Server.Features.Files.Console;

/// <summary>Addresses of files for the console: of this very server, since the public one may be another origin.</summary>
public sealed class ConsoleFiles(FileLinks links, NavigationManager navigation, TimeProvider clock)
{
    /// <summary>How long an address in an open page is good.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromHours(2);

    /// <summary>The address of a file; null when there is none.</summary>
    public string? Address(string bucket, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }
        // Whole hours, so that a page that is drawn again has the same addresses and nothing is loaded twice.
        var hour = new DateTime(clock.GetUtcNow().UtcDateTime.Ticks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour, DateTimeKind.Utc);
        return links.Address(navigation.BaseUri.TrimEnd('/'), bucket, name, hour + Life);
    }
}
