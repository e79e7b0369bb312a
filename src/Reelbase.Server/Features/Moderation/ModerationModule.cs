using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Moderation;

/// <summary>Prompts and pictures are checked before anything is charged.</summary>
public sealed class ModerationModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<ModerationOptions>("Moderation");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient(Moderator.ClientName, "moderation");
        if (context.IsApi)
        {
            services.AddSingleton<Moderator>();
        }
    }
}
