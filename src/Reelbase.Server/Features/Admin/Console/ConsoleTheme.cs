using MudBlazor;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>Colours that can be read: each has at least 4.5:1 against what it stands on, in light and dark (WCAG 2.2, 1.4.3).</summary>
public static class ConsoleTheme
{
    /// <summary>The one theme.</summary>
    public static MudTheme Theme { get; } =
        new()
        {
            PaletteLight = new PaletteLight
            {
                Primary = "#4a3fc7",
                Secondary = "#9c1f5b",
                Success = "#1b7a3d",
                Error = "#b3261e",
                Warning = "#8a5000",
                Info = "#0b5cad",
                AppbarBackground = "#2d2680",
                TextSecondary = "rgba(0,0,0,0.66)",
            },
            PaletteDark = new PaletteDark
            {
                Primary = "#b9b3ff",
                PrimaryContrastText = "#1a1640",
                Secondary = "#ff9ccb",
                SecondaryContrastText = "#3a0a20",
                Success = "#7ddc9c",
                SuccessContrastText = "#08260f",
                Error = "#ffb4ab",
                ErrorContrastText = "#3b0906",
                Warning = "#ffcf85",
                WarningContrastText = "#3a2400",
                Info = "#9fcaff",
                InfoContrastText = "#06213f",
                AppbarBackground = "#1d1940",
                TextPrimary = "rgba(255,255,255,0.92)",
                TextSecondary = "rgba(255,255,255,0.74)",
                DrawerText = "rgba(255,255,255,0.85)",
                DrawerIcon = "rgba(255,255,255,0.85)",
            },
        };
}
